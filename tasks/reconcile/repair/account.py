"""What a repair did about each mismatch, what it did not and why, in Markdown; ids only, nobody's data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from tasks.reconcile.repair.decide import Act, Intended, Plan
from tasks.reconcile.report_words import describe

SHOWN = 500
MARKUP = re.compile(r"([\\`*_\[\]<>|~#])")
WOULD = {
    Act.PUT_BACK: "would be read again from UltraCart and put back into the inbox",
    Act.RELEASE: "would be released to push-orders",
    Act.LINK: "UltraCart's order ID would be written on Thiio's order",
}
PUT_BACK = {
    "stored": ("put back into the inbox", "process-inbox delivers it to Thiio."),
    "again": ("put back into the inbox", "Its old event is worked off again by process-inbox."),
    "waits": ("", "Its event waits in the inbox already: process-inbox delivers it."),
    "unreadable": ("", "UltraCart gives what nobody can read; the inbox keeps it as a dead letter."),
    "gone": ("", "UltraCart does not know it any more. If Thiio has it, close it there by hand."),
}
RELEASED = "released to push-orders"
LINKED = "linked: UltraCart's order ID was written on Thiio's order"
UNREAD = "Not read: {trouble} Start the repair again."
NOT_UNSYNCED = "Thiio does not list it among its agents' orders that wait to be pushed. Look at it in Thiio."
HELD = "{said} Then start this repair again: it is older than what push-orders sends by itself."
PUSHES = {
    "rejected": "UltraCart refused it. Its words: ultrathiio order {id}. Correct it, then start push-orders "
    "with this ID and 'Retry rejected'.",
    "in_doubt": "It was sent and is in doubt: push-orders looks it up, and nothing is sent on a guess.",
    "sending": "It is being sent, or was so by a run that was killed: push-orders looks it up.",
    "confirmed": "UltraCart has it already; the next comparison tells.",
}
NOTES = (
    "A delivery writes all that UltraCart says of a record, not one field: where a field differs, a record "
    "is delivered again only if UltraCart is right in all fields in which the two differ.",
    "Nothing is deleted. Nothing is proven yet: process-inbox and push-orders do what waits now, "
    "pull-records reads it back, and the next comparison closes what agrees.",
)


class Result(NamedTuple):
    """What was done about a mismatch, "" for nothing, and what there is to say besides.

    `can_be`: nothing was done because this run only looked.
    """

    done: str
    words: str
    can_be: bool = False


@dataclass(frozen=True)
class Account:
    """A plan and what the other rooms answered, by act; a dry run has asked push-orders only.

    `answers`: "put_back": what `put_back_records` gives; "release": orders as `plan_pushes` gives them;
    "link": Thiio's id → the problem, empty for none. An act that is missing was not tried.
    """

    plan: Plan
    answers: Mapping[str, Any]

    @cached_property
    def results(self) -> list[tuple[Intended, Result]]:
        """Say what became of each mismatch."""
        return [(each, _with_past(each, self._result_of(each))) for each in self.plan.intended]

    def _result_of(self, each: Intended) -> Result:
        match each.act:
            case Act.TELL:
                return Result("", each.why)
            case Act.PUT_BACK if "put_back" in self.answers:
                return self._put_back(each)
            case Act.LINK if "link" in self.answers:
                problem = self.answers["link"][each.key]
                return Result("" if problem else LINKED, problem)
            case Act.RELEASE if "release" in self.answers:
                return self._release(each)
            case _:
                return Result("", WOULD[each.act], can_be=True)

    def done(self, act: Act) -> dict[int, str]:
        """Map mismatches to what was done about them."""
        return {
            each.candidate.id: result.done for each, result in self.results if each.act is act and result.done
        }

    def numbers(self) -> dict[str, int]:
        """Count the mismatches by what was done about them."""
        done = Counter(each.act for each, result in self.results if result.done)
        return {
            "put_back": done[Act.PUT_BACK],
            "released": done[Act.RELEASE],
            "linked": done[Act.LINK],
            "not_done": sum(_is_undone(*row) for row in self.results),
            "would_be_done": sum(result.can_be for _, result in self.results),
            "told": self.plan.told,
            "left": self.plan.left,
        }

    def failures(self) -> list[str]:
        """Give sentences about what somebody must put right before it can be repaired."""
        put_back = self.answers.get("put_back", {})
        trouble = [] if put_back.get("is_spent") else [put_back.get("trouble", "")]
        return [text for text in (*trouble, *self.answers.get("link", {}).values()) if text]

    def markdown(self, *, dry_run: bool) -> str:
        """Write all of it."""
        can_be = [row for row in self.results if row[1].can_be]
        done = [row for row in self.results if row[1].done]
        undone = [row for row in self.results if _is_undone(*row)]
        told = [row for row in self.results if row[0].act is Act.TELL]
        parts = [
            "# Repair of mismatches",
            "Dry run: nothing was done." if dry_run else "What was done is done once, however often it runs.",
            *(f"- {note}" for note in NOTES),
            *_section("What would be done", can_be),
            *_section("What was done", done),
            *_section("What could not be done", undone),
            *_section("What a person decides", told, self.plan.told - len(told)),
        ]
        if self.plan.left:
            parts.append(f"{self.plan.left:,} more are over the limits of this run: start it again.")
        return "\n\n".join(parts) + "\n"

    def _put_back(self, each: Intended) -> Result:
        outcome = self._became.get((each.candidate.entity, each.key))
        if outcome is None:
            return Result("", UNREAD.format(trouble=self.answers["put_back"]["trouble"]))
        return Result(*PUT_BACK[outcome])

    def _release(self, each: Intended) -> Result:
        order = self._orders.get(each.key)
        if order is None:
            return Result("", NOT_UNSYNCED)
        if order["outcome"] == "planned":
            if not order["is_released"]:
                return Result("", WOULD[Act.RELEASE], can_be=True)
            return Result(RELEASED, "The next run of push-orders sends it, whatever its age.")
        said = " ".join(filter(None, (order["reason"], order["remedy"])))
        if order["outcome"] == "held":
            return Result("", HELD.format(said=said))
        return Result("", PUSHES.get(order["outcome"], said).format(id=each.key))

    @cached_property
    def _became(self) -> dict[tuple[str, str], str]:
        return {(entity, id): outcome for entity, id, outcome in self.answers["put_back"]["outcomes"]}

    @cached_property
    def _orders(self) -> dict[str, dict[str, Any]]:
        return {order["thiio_order_id"]: order for order in self.answers["release"]}


def _with_past(each: Intended, result: Result) -> Result:
    """Say so if a repair was tried before and a comparison has found the mismatch again since."""
    if each.act is Act.TELL or each.candidate.repair is None:
        return result
    past = f"It was {each.candidate.repair}, and was found again since."
    return result._replace(words=" ".join(filter(None, (result.words, past))))


def _is_undone(each: Intended, result: Result) -> bool:
    return each.act is not Act.TELL and not result.done and not result.can_be


def _section(title: str, rows: Sequence[tuple[Intended, Result]], untold: int = 0) -> list[str]:
    if not rows:
        return []
    lines = [
        f"| {each.candidate.id} | {each.candidate.ultracart_id or '–'} | {each.candidate.thiio_id or '–'} "
        f"| {_what(each)} | {_escape(' – '.join(filter(None, result[:2])))} |"
        for each, result in rows[:SHOWN]
    ]
    more = untold + len(rows) - len(lines)
    head = ["| No. | UltraCart ID | Thiio ID | what is wrong | what became of it |", "|" + " --- |" * 5]
    rest = [f"And {more:,} more."] if more else []
    return [f"## {title}: {len(rows) + untold:,}", "\n".join([*head, *lines]), *rest]


def _what(each: Intended) -> str:
    return describe(each.candidate.entity, each.candidate.kind, each.candidate.field)


def _escape(text: str) -> str:
    return MARKUP.sub(r"\\\1", " ".join(text.split()))
