"""Pictures from Magento: fetched from its media folder, sent only when they changed, and never in a product's way."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.engine import run_job
from bridge.flows.wants import want
from bridge.magento.media import MAX_PICTURE_BYTES
from bridge.sandbox import Sandbox
from tests.flows.conftest import OpenShop
from tests.support.catalog_shop import CatalogShop
from tests.support.cli import running_cli
from tests.support.pictures import a_png
from tests.support.products import FakeCatalog
from tests.support.shop import ROOM

VERSIONS = (16, 18, 19)
LATER = "2020-01-01T00:00:00+00:00"

OpenPictures = Callable[..., "Pictures"]


class Pictures(CatalogShop):
    """A shop that reads the simulated Magento itself."""

    @property
    def magento(self) -> Any:
        return self.shop.box.magento

    def calls_of(self, system: str, part: str) -> int:
        return sum(
            count for key, count in self.shop.box.calls.counts(system).items() if part in " ".join(key)
        )

    def fetched(self) -> int:
        return self.calls_of("magento", "/media/catalog/product")

    def picture(self, sku: str, name: str = "image_1920") -> bytes | None:
        product = self.row(sku)
        value = product.get(name)
        return base64.b64decode(value) if value else None

    def jobs(self, kind: str) -> list[Any]:
        return self.ledger.jobs.list(instance="shop", kind=kind, limit=100)


@pytest.fixture
def open_pictures(open_shop: OpenShop) -> OpenPictures:
    def open_one(version: int = 18, **settings: object) -> Pictures:
        given = {"auto_create_products": True, "own_box": True, **settings}
        return Pictures(open_shop(version, **given), FakeCatalog())

    return open_one


@pytest.mark.parametrize("version", VERSIONS)
def test_a_picture_arrives_once_and_again_only_with_other_bytes(
    open_pictures: OpenPictures, version: int
) -> None:
    shop = open_pictures(version)
    shop.magento.add_picture("SIM-01", a_png(1))
    progress = shop.run()
    assert (progress.run.state, set(progress.jobs)) == ("done", {"done"})
    assert shop.picture("SIM-01") == a_png(1)
    assert shop.fetched() == 1
    # The same entry: neither fetched nor sent.
    shop.forget_calls()
    shop.run(updated_from=LATER)
    assert (shop.fetched(), shop.calls_of("odoo", ".load")) == (0, 0)
    # Another entry with the same bytes: fetched, not sent.
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.run()
    assert (shop.fetched(), shop.calls_of("odoo", ".load")) == (1, 0)
    # Other bytes: sent.
    shop.forget_calls()
    shop.magento.add_picture("SIM-01", a_png(2), name="back.png")
    shop.run()
    assert (shop.fetched(), shop.calls_of("odoo", "product.product.load")) == (1, 1)
    assert shop.picture("SIM-01") == a_png(2)
    # And back to the first ones: a write of its own, not one that is taken for done.
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.run()
    assert shop.picture("SIM-01") == a_png(1)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_configurable_and_its_variants_have_pictures_of_their_own(
    open_pictures: OpenPictures, version: int
) -> None:
    shop = open_pictures(version)
    family = next(raw for raw in shop.magento.catalog.all() if raw["sku"] == "TSHIRT")
    children = shop.magento.catalog.children("TSHIRT")
    shop.magento.add_picture("TSHIRT", a_png(1))
    for number, child in enumerate(children[:2], start=2):
        shop.magento.add_picture(child["sku"], a_png(number))
    assert set(shop.run().jobs) == {"done"}
    template_id = shop.bound(family["id"], "product_template")
    (template,) = [row for row in shop.odoo.records("product.template") if row["id"] == template_id]
    assert base64.b64decode(template["image_1920"]) == a_png(1)
    own = [shop.picture(child["sku"], "image_variant_1920") for child in children[:3]]
    assert own == [a_png(2), a_png(3), None]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_picture_that_odoo_had_stays_until_magentos_changes(
    open_pictures: OpenPictures, version: int
) -> None:
    shop = open_pictures(version)
    mine = base64.b64encode(a_png(9)).decode()
    shop.odoo.create("product.product", {"name": "Mine", "default_code": "SIM-01", "image_1920": mine})
    shop.odoo.create("product.product", {"name": "Bare", "default_code": "SIM-02"})
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.magento.add_picture("SIM-02", a_png(2))
    shop.run()
    assert (shop.picture("SIM-01"), shop.picture("SIM-02")) == (a_png(9), a_png(2))
    assert shop.fetched() == 1
    shop.run(updated_from=LATER)
    assert shop.picture("SIM-01") == a_png(9)
    shop.magento.add_picture("SIM-01", a_png(3))
    shop.run()
    assert shop.picture("SIM-01") == a_png(3)


@pytest.mark.parametrize(
    ("name", "content", "status", "said"),
    [
        ("page.png", b"<html>not found</html>", None, "is no picture that Odoo takes"),
        ("vector.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", None, "is no picture that Odoo takes"),
        ("big.png", a_png(1, padding=MAX_PICTURE_BYTES), None, "is larger than 8 MB"),
        ("gone.png", a_png(1), 404, "is not on Magento's server"),
        ("closed.png", a_png(1), 403, "may not be read without a login"),
        ("moved.png", a_png(1), 302, "is somewhere else by now"),
        ("broken.png", a_png(1)[:-12], None, "could not be decoded as an image"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_bad_picture_is_said_and_keeps_neither_its_product_nor_others_back(
    open_pictures: OpenPictures, name: str, content: bytes, status: int | None, said: str
) -> None:
    shop = open_pictures()
    path = shop.magento.add_picture("SIM-01", content, name=name)
    shop.magento.add_picture("SIM-02", a_png(2))
    if status is not None:
        shop.magento.media.statuses[path] = status
    shop.run()
    assert shop.bound(1) is not None
    assert (shop.picture("SIM-01"), shop.picture("SIM-02")) == (None, a_png(2))
    assert [job.state for job in shop.jobs("import-product-images")] == ["done"]
    (job,) = shop.jobs("import-product-image")
    assert (job.state, job.error_code, job.label) == ("blocked", "picture_unusable", "SIM-01")
    assert job.error.startswith("The picture of the product SIM-01 was left out: ")
    assert said in job.error
    assert "The product itself is imported" in job.help
    # Mended in Magento, it is brought over by a retry.
    shop.magento.media.statuses.clear()
    shop.magento.media.files[path] = a_png(7)
    shop.ledger.jobs.retry(job.id)
    shop.shop.work()
    assert (shop.shop.job(job.id).state, shop.picture("SIM-01")) == ("done", a_png(7))


@pytest.mark.parametrize("fault", ["error_5xx", "cut_before", "cut_body", "rate_429"])
def test_a_server_that_does_not_answer_now_is_asked_again(open_pictures: OpenPictures, fault: str) -> None:
    shop = open_pictures()
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.magento.add_picture("SIM-02", a_png(2))
    shot = shop.magento.faults.once(fault, "/media/catalog/product")
    progress = shop.run()
    assert shot.fired.is_set()
    assert (progress.run.state, set(progress.jobs)) == ("done", {"done"})
    assert (shop.picture("SIM-01"), shop.picture("SIM-02")) == (a_png(1), a_png(2))
    assert [job.retry_count for job in shop.jobs("import-product-images")] == [1]


def test_what_the_media_folder_says_is_no_word_about_magento_itself(open_pictures: OpenPictures) -> None:
    shop = open_pictures()
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.magento.add_picture("SIM-02", a_png(2), name="stuck.png")
    shop.magento.faults.set(
        error_5xx=1.0, only=lambda call: call.contains("/media/catalog/product/s/t/stuck")
    )
    shop.run()
    # What came before it is there.
    assert (shop.picture("SIM-01"), shop.picture("SIM-02")) == (a_png(1), None)
    (job,) = shop.jobs("import-product-images")
    assert (job.state, job.error_code) == ("failed", "picture_unreachable")
    assert "set import_images to off" in job.help
    assert all(one.failures == 0 for one in shop.ledger.breakers.list())


@pytest.mark.parametrize("url", ["file:///etc/", "ftp://pictures.example.test/", "not an address"])
def test_an_address_that_is_not_http_is_never_asked(open_pictures: OpenPictures, url: str) -> None:
    shop = open_pictures()
    for config in shop.magento.state.stores["storeConfigs"]:
        config["secure_base_media_url"] = url
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.run()
    (job,) = shop.jobs("import-product-images")
    assert (job.state, job.error_code) == ("blocked", "picture_unusable")
    assert "Base URL for User Media Files" in job.help
    assert shop.bound(1) is not None


@pytest.mark.parametrize("settings", [{"import_images": False}, {"sync_direction": "images=odoo"}])
def test_pictures_are_left_alone_where_they_are_not_magentos_matter(
    open_pictures: OpenPictures, settings: dict[str, object]
) -> None:
    shop = open_pictures(**settings)
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.run()
    assert (shop.fetched(), shop.jobs("import-product-images")) == (0, [])
    assert shop.picture("SIM-01") is None


def test_many_pictures_take_few_calls_and_products_without_any_take_none(
    open_pictures: OpenPictures,
) -> None:
    shop = open_pictures()
    made = shop.magento.add_products(60, configurable_share=0)
    for number, raw in enumerate(made[:40]):
        shop.magento.add_picture(raw["sku"], a_png(number))
    shop.run()
    assert shop.fetched() == 40
    jobs = shop.jobs("import-product-images")
    assert sum(job.result["sent"] for job in jobs) == 40
    for job in jobs:
        exchanges = shop.ledger.exchanges.list(job_id=job.id, limit=100)
        files = [one for one in exchanges if "/media/" in one.url]
        assert len(files) == job.result["sent"]
        # For all of them one look at what Odoo has, one write, and one look at what Odoo made of it.
        operations = sorted(one.operation for one in exchanges if one.system == "odoo" and one.operation)
        assert operations[-3:] == ["product.product.load", *["product.product.read"] * 2]
        assert len([one for one in operations if one.startswith("product.")]) == 3
        # Who asks for a file shows no credentials, and its bytes are not kept.
        for one in files:
            bodies = shop.ledger.exchanges.bodies(one.id)
            assert bodies is None or not bodies.response
            assert "authorization" not in {name.lower() for name in one.request_headers}


def test_large_pictures_are_held_a_few_at_a_time(open_pictures: OpenPictures) -> None:
    shop = open_pictures()
    made = shop.magento.add_products(4, configurable_share=0)
    for number, raw in enumerate(made):
        shop.magento.add_picture(raw["sku"], a_png(number, padding=MAX_PICTURE_BYTES // 3))
    shop.run()
    (job,) = shop.jobs("import-product-images")
    assert job.result == {"sent": 4}
    exchanges = shop.ledger.exchanges.list(job_id=job.id, limit=100)
    assert [one.operation for one in exchanges].count("product.product.load") == 2


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_picture_whose_answer_was_lost_is_there_once_the_doubt_is_over(
    open_pictures: OpenPictures, version: int, fault: str
) -> None:
    shop = open_pictures(version)
    shop.run()
    shop.magento.add_picture("SIM-01", a_png(1))
    shot = shop.odoo.faults.once(fault, "product.product.load")
    progress = shop.run()
    assert shot.fired.is_set()
    assert set(progress.jobs) == {"done"}
    assert shop.picture("SIM-01") == a_png(1)
    assert shop.ledger.effects.open_for_target("shop", "product.product") == []


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_picture_that_changes_while_an_older_one_is_in_doubt_is_the_last_word(
    open_pictures: OpenPictures, fault: str
) -> None:
    shop = open_pictures()
    shop.magento.add_picture("SIM-01", a_png(1))
    shop.run()
    shop.magento.add_picture("SIM-01", a_png(2), name="second.png")
    shop.odoo.faults.once(fault, "product.product.load")
    wanted = want("import-product-images", instance="shop", entity="doubt", data={"ids": [1]})
    job_id = shop.ledger.jobs.want([wanted])[0].job_id
    shop.ledger.jobs.dispatch(ROOM, limit=10)
    assert run_job(shop.shop.runtime, job_id) == "retry_waiting"
    shop.magento.add_picture("SIM-01", a_png(3), name="third.png")
    # Another job finds the newer one, and waits for the doubt too.
    other = want("import-product-images", instance="shop", entity="other", data={"ids": [1]})
    other_id = shop.ledger.jobs.want([other])[0].job_id
    shop.ledger.jobs.dispatch(ROOM, limit=10)
    assert run_job(shop.shop.runtime, other_id) == "retry_waiting"
    assert shop.shop.job(other_id).error_code == "doubtful_effect"
    shop.shop.work()
    assert [shop.shop.job(one).state for one in (job_id, other_id)] == ["done", "done"]
    assert shop.picture("SIM-01") == a_png(3)
    assert shop.ledger.effects.open_for_target("shop", "product.product") == []


def test_the_command_line_waits_for_pictures_and_says_which_are_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox.start(odoo_version=18) as box:
        for cli in running_cli(tmp_path, monkeypatch, capsys):
            (cli.folder / "oauth.json").write_text(json.dumps(box.magento.secret))
            (cli.folder / "odoo.key").write_text(box.odoo.key)
            added = cli(
                *("instance", "add", "shop", "--magento-url", box.magento.url),
                *(
                    "--magento-oauth",
                    "@oauth.json",
                    "--odoo-url",
                    box.odoo.url,
                    "--odoo-db",
                    box.odoo.database,
                ),
                *("--odoo-user", box.odoo.user, "--odoo-key", "@odoo.key"),
                *("--set", "auto_create_products=true"),
            )
            assert added.code == 0
            box.magento.add_picture("SIM-01", a_png(1))
            box.magento.add_picture("SIM-02", b"no picture")
            assert cli("run", "import-product", "SIM-01", "--wait").code == 0
            pictures = [
                row["image_1920"] for row in box.odoo.records("product.template") if row.get("image_1920")
            ]
            assert [base64.b64decode(one) for one in pictures] == [a_png(1)]
            for args in (("import-product", "SIM-02"), ("import-products",)):
                ended = cli("run", *args, "--wait")
                assert ended.code == 1
                assert "The picture of the product SIM-02 was left out" in ended.out
                assert "Give it another picture in Magento" in ended.out
            assert cli("instance", "set", "shop", "--set", "import_images=maybe").code == 2
