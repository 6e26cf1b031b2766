"""What is wrong with the mapping as a whole, in Markdown: before an order meets it.

Products are those that Thiio sells, items those that UltraCart sells by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tasks.push.mapping import Mapping
from tasks.push.problem import Problem
from tasks.records.item_rules import ItemRule, read_rules
from tasks.records.models import Gateway, PhoneLine, Product

LISTED = 200
"""So many findings and unused items are listed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a product or a gateway. `holds` tells whether it keeps orders back."""

    of: str
    what: str
    remedy: str
    holds: bool


def find_mapping_problems(mapping: Mapping) -> list[Finding]:
    """Find what keeps orders back, then what is only suspicious."""
    findings = [*_of_products(mapping), *_of_gateways(mapping)]
    return sorted(findings, key=lambda finding: not finding.holds)


def unused_items(mapping: Mapping) -> list[str]:
    """Give the items that UltraCart sells and no product of Thiio names."""
    named = {rule.item_id.casefold() for product in _sold(mapping) for rule in _rules(mapping, product)}
    return sorted(
        item.id for key, item in mapping.items.items() if item.is_active and item.is_sold and key not in named
    )


def describe_mapping(mapping: Mapping) -> str:
    """Write the report; what is none is told as 0, so that nobody wonders."""
    findings, unused = find_mapping_problems(mapping), unused_items(mapping)
    holding = sum(finding.holds for finding in findings)
    parts = [
        "# Products and gateways\n",
        f"{len(_sold(mapping))} products of Thiio and {len(mapping.items)} items of UltraCart; "
        f"{len(mapping.gateways)} gateways of Thiio and {len(mapping.gateway_codes)} codes of UltraCart. "
        f"Keep orders back: {holding}. Should be looked at: {len(findings) - holding}.\n",
    ]
    if findings:
        parts.append(_table(findings))
    if unused:
        more = f" … and {len(unused) - LISTED} more" if len(unused) > LISTED else ""
        parts.append(
            f"\n## {len(unused)} items that no product names\n\n{', '.join(unused[:LISTED])}{more}\n"
        )
    return "\n".join(parts)


def _of_products(mapping: Mapping) -> Iterator[Finding]:
    times = Counter(key for product in _sold(mapping) for key in _item_keys(mapping, product))
    for product in _sold(mapping):
        of = f"product {product.id} ({product.name or 'without name'})"
        rules = _rules(mapping, product)
        # A product without rules has no item whatever is chosen; one with variants only may have one.
        lacking = [] if rules else [mapping.item(_line_of(product))]
        for found in [*lacking, *(mapping.find_item(product, rule) for rule in rules)]:
            if isinstance(found, Problem):
                yield Finding(of, found.reason, found.remedy, holds=True)
        for key in _item_keys(mapping, product):
            if key in mapping.items and times[key] > 1:
                what = f"{times[key]} products name the item {mapping.items[key].id}."
                yield Finding(of, what, "Nothing, if they are the same thing; else correct one.", holds=False)


def _of_gateways(mapping: Mapping) -> Iterator[Finding]:
    active = [gateway for gateway in mapping.gateways.values() if gateway.is_active]
    times = Counter(gateway.gateway_code for gateway in active)
    for gateway in active:
        of = f"gateway {gateway.id} ({gateway.name or 'without name'})"
        code = mapping.gateway_code(gateway.id)
        if isinstance(code, Problem):
            yield Finding(of, code.reason, code.remedy, holds=True)
            continue
        yield from _suspicions(of, gateway, times[code])


def _suspicions(of: str, gateway: Gateway, times: int) -> Iterator[Finding]:
    if times > 1:
        what = f"{times} gateways carry the code {gateway.gateway_code}."
        yield Finding(of, what, "Nothing, if they are one at UltraCart; else correct one.", holds=False)
    if gateway.payment_methods_store is False:
        what = "Its payment methods store is off."
        yield Finding(of, what, "Enable it in the gateway's settings in Thiio.", holds=False)


def _sold(mapping: Mapping) -> list[Product]:
    return [product for product in mapping.products.values() if product.is_active and product.is_sold]


def _rules(mapping: Mapping, product: Product) -> list[ItemRule]:
    return read_rules(product.metadata, mapping.keys)


def _item_keys(mapping: Mapping, product: Product) -> list[str]:
    return list(dict.fromkeys(rule.item_id.casefold() for rule in _rules(mapping, product)))


def _line_of(product: Product) -> PhoneLine:
    return PhoneLine(position=1, quantity=Decimal(1), product_id=product.id)


def _table(findings: Sequence[Finding]) -> str:
    rows = [
        f"| {'✗ held' if finding.holds else '! look'} | {_cell(finding.of)} | {_cell(finding.what)} "
        f"| {_cell(finding.remedy)} |"
        for finding in findings[:LISTED]
    ]
    more = [f"\n… and {len(findings) - LISTED} more"] if len(findings) > LISTED else []
    return "\n".join(["| | of | found | what to do |", "| --- | --- | --- | --- |", *rows, *more, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
