"""The likely cause of each kind of mismatch, and the next step, in words for who reads the report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What most likely made the two sides disagree."""

    EDITED = "edited"
    EDITED_IN_THIIO = "edited_in_thiio"
    EDITED_IN_ULTRACART = "edited_in_ultracart"
    TAX_RECOMPUTED = "tax_recomputed"
    DATE = "date"
    TIME_ZONE = "time_zone"
    STATUS_EVENT_LOST = "status_event_lost"
    UNKNOWN_STATUS = "unknown_status"
    REFUND_EVENT_LOST = "refund_event_lost"
    REFUND_LATE = "refund_late"
    REFUND_IN_THIIO = "refund_in_thiio"
    SHIPMENT_EVENT_LOST = "shipment_event_lost"
    GATEWAY_CODE = "gateway_code"
    ITEM_MAPPING = "item_mapping"
    ITEMS_EDITED = "items_edited"
    CUSTOMER_EDITED = "customer_edited"
    TEST_ORDER = "test_order"
    DELETED = "deleted"
    NO_EVENT = "no_event"
    EVENT_DEAD = "event_dead"
    EVENT_WAITS = "event_waits"
    DELIVERED_BUT_GONE = "delivered_but_gone"
    NEVER_PUSHED = "never_pushed"
    NAMED_BUT_UNSEEN = "named_but_unseen"
    CONFIRMED_BUT_UNSEEN = "confirmed_but_unseen"
    ONLY_IN_THIIO = "only_in_thiio"
    SEVERAL_CANDIDATES = "several_candidates"
    NOT_WRITTEN_BACK = "not_written_back"


@dataclass(frozen=True, slots=True)
class Advice:
    """Why it is so, most likely, and what to do next."""

    cause: str
    remedy: str


ADVICE = {
    Cause.EDITED: Advice(
        "The order was edited on one side after it was sent over; UltraCart sends no event for an edit.",
        "Compare the two orders and correct the one that is wrong.",
    ),
    Cause.EDITED_IN_THIIO: Advice(
        "The record was changed in Thiio after it was last brought over from UltraCart.",
        "Ask who changed it in Thiio, and why; then make the same change in UltraCart, or undo it in Thiio.",
    ),
    Cause.EDITED_IN_ULTRACART: Advice(
        "The record was changed in UltraCart after it was last brought over, and no event told of it.",
        "If UltraCart is right, enter the value in Thiio; else correct it in UltraCart.",
    ),
    Cause.TAX_RECOMPUTED: Advice(
        "UltraCart computed another tax for this phone order than the agent took in Thiio.",
        "See which tax is right: correct the tax in Thiio's order, or UltraCart's tax settings.",
    ),
    Cause.DATE: Advice(
        "The date was changed on one side, or the order was entered by hand on both.",
        "Compare the two orders' dates and correct the one that is wrong.",
    ),
    Cause.TIME_ZONE: Advice(
        "The two dates are whole quarters of an hour apart: one side was read or written in another time "
        "zone.",
        "Compare the order's date on both sides' own pages, then the time zone of Thiio's database.",
    ),
    Cause.STATUS_EVENT_LOST: Advice(
        "A change of status did not reach the other side: its event was lost, waits or was refused.",
        "Look for the order among the inbox events; replay its last event with replay-events.",
    ),
    Cause.UNKNOWN_STATUS: Advice(
        "One side uses a status word that has no translation.",
        "Add the word to the status words of the mapping file, then pull the order again.",
    ),
    Cause.REFUND_EVENT_LOST: Advice(
        "A refund was made on one side only, or its event did not arrive.",
        "Look for an order_refund event of this order and replay it; a refund made in Thiio must be made in "
        "UltraCart too.",
    ),
    Cause.REFUND_LATE: Advice(
        "The refund was made in UltraCart after the last event that reached Thiio; its own event was lost.",
        "Resend the order_refund event from UltraCart's webhook log.",
    ),
    Cause.REFUND_IN_THIIO: Advice(
        "Thiio counts more as refunded than UltraCart.",
        "Make the refund in UltraCart too, or correct the refund in Thiio.",
    ),
    Cause.SHIPMENT_EVENT_LOST: Advice(
        "The shipment did not reach the other side: its event was lost, or a parcel was added later.",
        "Look for an order_ship event of this order and replay it, or enter the tracking number.",
    ),
    Cause.GATEWAY_CODE: Advice(
        "The payment took another way than the gateway in Thiio says, or that gateway carries a wrong code.",
        "Compare the code in Thiio's gateway settings with UltraCart's list; check-setup shows both.",
    ),
    Cause.ITEM_MAPPING: Advice(
        "A Thiio product of this order carries no UltraCart item ID.",
        "Add the item ID to the product's metadata in Thiio; the next pull brings it.",
    ),
    Cause.ITEMS_EDITED: Advice(
        "Items were changed on one side, or a Thiio product carries another item's ID.",
        "Compare the two orders' items, then the item IDs in the metadata of Thiio's products.",
    ),
    Cause.CUSTOMER_EDITED: Advice(
        "The details were changed on one side only.",
        "Ask which is right, and correct the other side.",
    ),
    Cause.TEST_ORDER: Advice(
        "One side counts the order as a test, the other as a real one.",
        "Mark it as a test in Thiio, or delete it there: test orders are no sales.",
    ),
    Cause.DELETED: Advice(
        "The record was deleted or merged on one side only.",
        "Delete or merge it on the other side too, or restore it.",
    ),
    Cause.NO_EVENT: Advice(
        "The inbox holds no webhook event of this record: none came, or it is long ago.",
        "Run repair-mismatches: it reads the record again and brings it to Thiio. If many are missing, see "
        "with check-setup whether UltraCart's webhook is active.",
    ),
    Cause.EVENT_DEAD: Advice(
        "Its webhook event came and is a dead letter in the inbox; the reason stands there.",
        "Remove the reason, then put the event back to work with replay-events.",
    ),
    Cause.EVENT_WAITS: Advice(
        "Its webhook event came and still waits in the inbox.",
        "Nothing, if process-inbox runs: it delivers the record; else start process-inbox.",
    ),
    Cause.DELIVERED_BUT_GONE: Advice(
        "The record was delivered to Thiio, and Thiio does not show it: deleted there, or not yet read.",
        "Look in Thiio; if it is gone, run repair-mismatches, which brings it there again.",
    ),
    Cause.NEVER_PUSHED: Advice(
        "The phone order was never sent to UltraCart: push-orders does not run, or it is too old.",
        "Start push-orders on demand with this order's id and 'Release', or run repair-mismatches.",
    ),
    Cause.NAMED_BUT_UNSEEN: Advice(
        "Thiio's order names an UltraCart order that UltraCart does not show: deleted there, mistyped, or "
        "outside of what was read.",
        "Look the order up in UltraCart; if it is there, backfill its day; else correct the ID in Thiio.",
    ),
    Cause.CONFIRMED_BUT_UNSEEN: Advice(
        "UltraCart confirmed this order when it was pushed, and does not show it now.",
        "Look the order up in UltraCart; if it is there, backfill its day; else ask who deleted it.",
    ),
    Cause.ONLY_IN_THIIO: Advice(
        "The customer exists in Thiio only: a lead, a guest of the shop, or a phone customer; UltraCart "
        "keeps no profile for those.",
        "Make a profile in UltraCart if the customer should have one; else ignore this with a reason.",
    ),
    Cause.SEVERAL_CANDIDATES: Advice(
        "Several records share the ID, e-mail address or phone by which the two sides are matched.",
        "Decide which two belong together; merge or delete the others, or correct what they share.",
    ),
    Cause.NOT_WRITTEN_BACK: Advice(
        "The two orders belong together, but Thiio's order does not name the UltraCart order.",
        "Run repair-mismatches, which writes the UltraCart order ID on Thiio's order: else somebody may push "
        "it again.",
    ),
}
"""Every cause has its advice; a test holds this."""
