"""HTML and scripts in descriptions: a real Odoo cleans them up, and what it made of them is nobody's edit."""

from __future__ import annotations

import pytest

from tests.live.conftest import OpenShop
from tests.support.outward_shop import OutwardShop

#: What shops have in descriptions, some of it hostile.
TEXTS = {
    "script": "<p>Good</p><script>alert('x')</script><p>after</p>",
    "handler": '<p onclick="steal()">Click <b onmouseover="x()">me</b></p>',
    "javascript link": '<p><a href="javascript:alert(1)">link</a> and <a href="https://example.com/a?b=1&amp;c=2">other</a></p>',
    "frame": '<iframe src="https://example.com/"></iframe><p>video</p>',
    "style": '<style>.a { color: red }</style><div class="a" style="color: red; position: absolute">styled</div>',
    "comment": "<p>a</p><!-- hidden --><p>b</p>",
    "entities": "<p>x &lt; y &amp;&amp; z &nbsp; &euro; &#8364; &quot;q&quot;</p>",
    "plain": "no tags, a < b & c",
    "unclosed": "<p>one<p>two<br>three<ul><li>a<li>b</ul>",
    "table": '<table border="1"><tr><td colspan="2">cell</td></tr></table>',
    "picture": '<p><img src="{{media url=&quot;wysiwyg/a.png&quot;}}" alt="a"/> {{widget type="x"}}</p>',
    "page builder": '<div data-content-type="row" data-appearance="contained"><h2 data-element="main">H</h2></div>',
    "lines": "<p>one</p>\r\n\r\n  <p>two   spaces</p>\n\t<pre>  kept  </pre>",
    "signs": "<p>\u00e4\u00f6\u00fc \u4f60\u597d \U0001f600 \u200b\u00ad</p>",
    "form": '<form action="/x"><input name="a" value="b"/><button>go</button></form>',
    "nothing": "<p></p><p><br></p>",
}


@pytest.mark.parametrize("master", ["magento", "odoo"])
def test_what_odoo_makes_of_html_is_nobodys_edit(open_shop: OpenShop, master: str) -> None:
    shop = OutwardShop(
        open_shop(own_box=True, export_products=True, auto_create_products=True, sync_direction=master)
    )
    skus = {name: shop.new_sku("HTML-{}") for name in TEXTS}
    made = shop.magento.add_products(len(TEXTS), configurable_share=0)
    for raw, (name, text) in zip(made, TEXTS.items(), strict=True):
        shop.magento.catalog.add({**raw, "sku": skus[name], "name": name, "status": 1, "type_id": "simple"})
        shop.magento.catalog.change(skus[name], {"description": text, "short_description": text})
    assert shop.import_(*skus.values()).result == {"made": len(TEXTS)}
    ids = {
        name: binding.odoo_id
        for name, sku in skus.items()
        if (binding := shop.ledger.bindings.get("shop", "product", shop.raw(sku)["id"])) is not None
    }
    shop.forget_calls()
    for _ in range(2):
        assert shop.import_(*skus.values()).result == {"unchanged": len(TEXTS)}
        assert shop.export(*ids.values()).result == {"unchanged": len(TEXTS)}
    assert (shop.writes(), shop.writes("odoo"), shop.conflicts()) == ([], [], [])
    rows = {row["id"]: row for row in shop.odoo.records("product.product")}
    assert "script" not in str(rows[ids["script"]]["description"])
    assert "after" in str(rows[ids["script"]]["description"])
    # A true edit right after it is one.
    if master == "magento":
        shop.magento.catalog.change(skus["script"], {"description": "<p>Better</p>"})
        assert shop.import_(*skus.values()).result == {"updated": 1, "unchanged": len(TEXTS) - 1}
    else:
        shop.edit(ids["script"], description="<p>Better</p>")
        assert shop.export(*ids.values()).result == {"updated": 1, "unchanged": len(TEXTS) - 1}
        assert "Better" in shop.attributes(skus["script"])["description"]
