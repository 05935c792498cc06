"""The simulated Magento answers the recorded requests as the real one did.

Each recorded request is sent again, with the credentials of the recording's kind. "Shape" means: the same
status, the same keys and JSON types, and for errors the same text. "Equal" means the same content.

Writes of products have a test of their own (``test_magento_product_writes``), as each goes on from the one before.

Inventory is in a file of its own. Not simulated yet: everything that writes to categories, tax and sales rules, shipments, invoices,
refunds, cancellations, comments, carts, bulk calls but those of source items. They belong to the issues that need them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, Client

from bridge.sandbox.calls import Calls
from bridge.sandbox.magento_box import MagentoBox

RECORDINGS = Path(__file__).parents[2] / "recordings" / "magento"

#: Topic and range of numbers, to how many answer in the recorded shape and how many equal, at the least.
EXPECTED = {
    "auth": ((1, 35), 35, 32),
    "errors": ((1, 33), 29, 26),
    "orders": ((1, 76), 69, 55),
    "stores": ((1, 20), 12, 12),
    "customers": ((1, 6), 3, 3),
    "catalog": ((1, 128), 64, 59),
    "fulfilment": ((122, 126), 3, 1),
}

#: Recordings inside those ranges that the sandbox does not answer as recorded, and why.
MISSED = {
    "errors/002": "customers cannot be written",
    "errors/031": "the recorded body was cut",
    "errors/032": "developer mode is not simulated",
    "errors/033": "developer mode is not simulated",
    "catalog/002": "the colours had no options yet",
    "catalog/050": "options of bundles are in the product only",
    "catalog/051": "options of bundles are in the product only",
    "catalog/054": "the colour came without its source model",
    "catalog/112": "contents of images are not simulated",
    "catalog/121": "categories cannot be written",
    **{f"stores/{number:03}": "taxes and sales rules cannot be written" for number in range(1, 9)},
    **{f"customers/{number:03}": "customers cannot be written" for number in range(1, 4)},
    "fulfilment/122": "the order had a comment in its history",
    "fulfilment/125": "the order had a comment in its history",
    "orders/032": "the order had been shipped and invoiced",
    "orders/033": "the order had been shipped and invoiced",
    "orders/034": "the order had been refunded",
    "orders/035": "the order had been shipped and invoiced",
    "orders/036": "the order had been cancelled",
    "orders/070": "the order had been refunded",
    "orders/071": "the order had been refunded",
}

#: What had been written before a recording: product, store code, values.
CHANGED_BEFORE = {
    "store-scope-get-de": [("SIM-16", "de", {"name": "Einfaches Produkt 16"})],
    "store-scope-get-all-after-no-code": [("SIM-16", "all", {"name": "Renamed globally"})],
    "store-scope-get-default-after-no-code": [("SIM-16", "default", {"name": "Put without a store code"})],
}


@pytest.fixture
def box():
    box = MagentoBox(calls=Calls())
    yield box
    box.stop()


@pytest.fixture(scope="module")
def client():
    with httpx.Client() as client:
        yield client


def recordings(topic):
    first, last = EXPECTED[topic][0]
    files = sorted((RECORDINGS / topic).glob("*.json"))
    return [path for path in files if first <= int(path.name[:3]) <= last]


def signed(box, method, url, name, body=None):
    secret = dict(box.secret)
    if "unknown-consumer" in name:
        secret["consumer_key"] = "0" * 32
    if "unknown-token" in name:
        secret["access_token"] = "0" * 32
    moment = {"oauth1-old-timestamp": -3600, "oauth1-future-timestamp": 3600}.get(name)
    now = time.time()
    client = Client(
        secret["consumer_key"],
        secret["consumer_secret"],
        secret["access_token"],
        secret["access_token_secret"],
        signature_method=SIGNATURE_HMAC_SHA1 if name.endswith("sha1") else SIGNATURE_HMAC_SHA256,
        timestamp=str(int(now + moment)) if moment else None,
    )
    headers = {"Content-Type": "application/json"} if body else {}
    if name.endswith("path-signed-decoded"):
        url = url.replace("%2F", "/").replace("%26", "&")
    _, headers, _ = client.sign(url, http_method=method, headers=headers)
    header = headers["Authorization"]
    return (
        header.replace('oauth_signature="', 'oauth_signature="AAAA', 1)
        if name.endswith("bad-signature")
        else header
    )


def prepare(box, name):
    """Set the switches as they stood when ``name`` was recorded."""
    box.guard.allowed = frozenset({"Magento_Catalog::products"}) if "limited" in name else None
    box.guard.bearer_enabled = "as-bearer-enabled" in name or "as-bearer-limited" in name
    box.switches.input_limits = name.startswith("limit-")
    if name == "list-notnull":
        box.orders.change(29, {"ext_order_id": "S00042"})
    for product, store_code, values in CHANGED_BEFORE.get(name, ()):
        if store_code == "all":
            box.catalog.change(product, values, is_silent=True)
        else:
            box.catalog.set_texts(product, store_code, values)
    if name == "product-get-old-name":
        box.catalog.add({**box.catalog.by_sku("SIM-01"), "id": 44, "sku": "NEW-01"})
    box.state.admins["admin"] = "<ADMIN_PASSWORD>"
    box.state.customer_passwords["anna@example.com"] = "<CUSTOMER_PASSWORD>"


def authorization(box, recorded, request, url):
    value = recorded["request"]["headers"].get("Authorization", "")
    if value.startswith("OAuth"):
        return signed(box, request["method"], url, recorded["name"], request.get("json"))
    for placeholder, token in {
        "<INTEGRATION_ACCESS_TOKEN>": box.bearer_token,
        "<ADMIN_TOKEN>": box.admin_token,
        "<ACCESS_TOKEN>": box.admin_token,
        "<CUSTOMER_TOKEN>": "sandbox.customer",
        "<JWT>": "eyJ.expired.signature",
    }.items():
        value = value.replace(placeholder, token)
    return value.replace(" (limited)", "").strip()


def replay(box, client, recorded):
    request = recorded["request"]
    prepare(box, recorded["name"])
    url = httpx.URL(box.url + request["path"])
    if request.get("query"):
        url = url.copy_merge_params(request["query"])
    text = str(url).replace("+", "%20")
    headers = {key: value for key, value in request["headers"].items() if key != "Authorization"}
    if value := authorization(box, recorded, request, text):
        headers["Authorization"] = value
    content = json.dumps(request["json"]) if "json" in request else request.get("raw") or ""
    response = client.request(request["method"], text, headers=headers, content=content.encode())
    if "nonce-reused" in recorded["name"]:
        response = client.request(request["method"], text, headers=headers, content=content.encode())
    return response


def shape(value):
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"


def merged(value):
    """The shape, with lists of records told apart by their shapes only, not by how many there are."""
    if isinstance(value, dict):
        return {key: merged(inner) for key, inner in value.items()}
    if isinstance(value, list):
        kinds = []
        for inner in map(merged, value):
            if inner not in kinds:
                kinds.append(inner)
        return sorted(kinds, key=json.dumps)
    return value


def compared(response, recorded):
    """Whether the answer has the recorded shape, and whether it is equal."""
    expected = recorded["response"]
    if response.status_code != expected["status"]:
        return False, False
    if "json" not in expected or expected["json"] is None:
        return "<html" in response.text or response.text.strip() == expected["text"].strip(), (
            response.text.strip() == expected["text"].strip()
        )
    # The simulated shop serves its files itself.
    own = str(response.url.copy_with(path="/media/", query=None))
    answer = json.loads(response.text.replace(own, "https://magento.example.test/media/"))
    wanted = expected["json"]
    if response.status_code >= 400:
        if isinstance(answer, dict):
            answer["message"] = answer["message"].split("Report ID")[0]
            wanted = {**wanted, "message": wanted["message"].split("Report ID")[0]}
        return answer == wanted, answer == wanted
    return merged(shape(answer)) == merged(shape(wanted)), answer == wanted


@pytest.mark.parametrize("topic", EXPECTED)
def test_the_recorded_requests_get_the_recorded_shapes(box, client, topic):
    rows = {path: compared(replay(box, client, read(path)), read(path)) for path in recordings(topic)}
    in_shape = [path for path, (same, _) in rows.items() if same]
    equal = [path for path, (_, same) in rows.items() if same]
    print(f"{topic:<12} recorded {len(rows):>3}   in shape {len(in_shape):>3}   equal {len(equal):>3}")
    missed = {f"{topic}/{path.name[:3]}" for path in rows if path not in in_shape}
    assert missed == {name for name in MISSED if name.startswith(f"{topic}/")}
    _, least_in_shape, least_equal = EXPECTED[topic]
    assert len(in_shape) >= least_in_shape
    assert len(equal) >= least_equal


def read(path):
    recorded = json.loads(path.read_text(encoding="utf-8"))
    recorded["response"].setdefault("text", "")
    # The files are named for their subject; the name inside is without the number.
    recorded["name"] = path.name[4:-5]
    return recorded
