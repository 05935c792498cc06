"""Which Odoo records a Magento value may stand for: proposals with a reason and a confidence. Nothing is mapped here.

The confidence is a base, by what fits, divided by the number of candidates that fit at least as well:

=====  ====================================================================================================
0.95   equal code; a tax of equal name and percent; a unit that is the same by another spelling
0.9    equal name
0.85   a tax of equal percent whose name holds Magento's code, or the other way round
0.8    a pricelist of the currency
0.7    a tax of equal percent
0.6    a part of the value's name, such as the store view of *website, store, view*, is equal
0.3    a tax of 0 % for what bears no tax: whether it is export, intra-EU or exempt, only a person knows
=====  ====================================================================================================

A tax on the other price basis than the shop's counts half, and so does an attribute that cannot serve imports. Names are equal without regard to case, accents, spaces
and signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from bridge.translate.money import plain

_PARTS = re.compile(r"[,|/\n]| - ")
#: Magento's two units of weight, as Odoo's ``uom.uom`` spells them.
_UNITS: Mapping[str, frozenset[str]] = {"kgs": frozenset({"kg"}), "lbs": frozenset({"lb", "lbs"})}
#: Shorter names are in any other by chance.
_SHORTEST_PART = 3


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An Odoo record that values may stand for."""

    id: int
    name: str
    #: Its short code: of a warehouse, of a product (*internal reference*).
    code: str = ""
    #: Of a tax.
    percent: Decimal | None = None
    #: Whether the tax is inside the price.
    is_inside: bool = False
    #: Of a pricelist.
    currency: str = ""
    #: Of an attribute: whether it makes only the variants that are asked for.
    is_dynamic: bool = True


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A candidate, and why."""

    candidate: Candidate
    reason: str
    #: Between 0 and 1.
    confidence: float


#: Base and reason; None where nothing fits.
_Fit = tuple[float, str] | None


def suggest(
    kind: str, value: str, label: str | None, candidates: Iterable[Candidate], *, is_inside: bool = False
) -> list[Suggestion]:
    """Return the candidates that ``value`` may stand for, the likeliest first.

    ``is_inside`` says whether the shop's prices include tax.
    """
    fit = _FITS.get(kind, _fit_name)
    found = [
        (base, reason, candidate)
        for candidate in candidates
        for base, reason in [fit(value, label or "", candidate, is_inside) or (0.0, "")]
        if base
    ]
    found.sort(key=lambda row: (-row[0], row[2].id))
    suggestions = []
    for base, reason, candidate in found:
        rivals = sum(other >= base for other, _, _ in found)
        shared = f"; {rivals} fit at least as well" if rivals > 1 else ""
        suggestions.append(
            Suggestion(candidate=candidate, reason=reason + shared, confidence=round(base / rivals, 2))
        )
    return suggestions


def same_name(text: str) -> str:
    """Return ``text`` as names are compared: without case, accents, spaces and signs."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in letters if sign.isalnum())


def _fit_name(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: ARG001, FBT001  # one form for all
    if one.code and one.code.casefold() == value.casefold():
        return 0.95, f"equal code {one.code}"
    name = same_name(one.name)
    if not name:
        return None
    if name in {same_name(value), same_name(label)}:
        return 0.9, "equal name"
    parts = {same_name(part) for text in (value, label) for part in _PARTS.split(text)}
    return (0.6, "equal to a part of its name") if name in parts else None


def _fit_label(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: ARG001, FBT001  # one form for all
    """The value is an id of Magento's and says nothing."""
    return _fit_name("", label, one, is_inside)


def _fit_unit(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: FBT001  # one form for all
    if one.name.casefold() in _UNITS.get(value.casefold(), ()):
        return 0.95, f"Odoo spells Magento's {value} so"
    return _fit_name(value, label, one, is_inside)


def _fit_attribute(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: FBT001  # one form for all
    fit = _fit_name(value, label, one, is_inside)
    if fit is None or one.is_dynamic:
        return fit
    return fit[0] / 2, f"{fit[1]}, but it does not make its variants dynamically: for exports only"


def _fit_currency(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: ARG001, FBT001  # one form for all
    return (0.8, f"a pricelist in {value}") if value and one.currency == value else None


def _fit_tax(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: ARG001, FBT001  # one form for all
    code, _, text = value.rpartition("|")
    percent = _decimal(text)
    if percent is None or one.percent != percent:
        return None
    base, reason = 0.7, f"equal percent {plain(percent)}"
    ours, theirs = same_name(code), same_name(one.name)
    if ours and ours == theirs:
        base, reason = 0.95, f"{reason} and equal name"
    elif min(len(ours), len(theirs)) >= _SHORTEST_PART and (ours in theirs or theirs in ours):
        base, reason = 0.85, f"{reason} and a name that holds the code"
    if one.is_inside == is_inside:
        return base, reason
    basis = "it is inside the price, and" if one.is_inside else "it comes on top of the price, and"
    prices = "include tax" if is_inside else "are without tax"
    return base / 2, f"{reason}, but {basis} the shop's prices {prices}"


def _fit_zero_tax(value: str, label: str, one: Candidate, is_inside: bool) -> _Fit:  # noqa: ARG001, FBT001  # one form for all
    if one.percent is None or one.percent != 0:
        return None
    return 0.3, "a tax of 0 %; whether it is for this case (export, intra-EU, exempt) only a person knows"


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


_FITS: Mapping[str, Callable[[str, str, Candidate, bool], _Fit]] = {
    "attribute": _fit_attribute,
    "tax": _fit_tax,
    "zero_tax": _fit_zero_tax,
    "currency": _fit_currency,
    "customer_group": _fit_label,
    "customer_group_pricelist": _fit_label,
    "store": _fit_label,
    "tax_class": _fit_label,
    "unit": _fit_unit,
}


def prices_include_tax(mapped: Sequence[Candidate]) -> bool:
    """Return what the taxes that a person has mapped already say of the shop's prices; without a word, on top."""
    taxed = [one for one in mapped if one.percent]
    return bool(taxed) and all(one.is_inside for one in taxed)
