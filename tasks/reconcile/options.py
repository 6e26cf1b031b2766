"""What a person may choose in the forms of the two comparisons."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from tasks.records.windows import check_times


class CompareOptions(BaseModel):
    """Which records to compare. Without a choice the run goes on where the last one ended."""

    start: AwareDatetime | None = Field(
        None, title="From", description="First moment (inclusive). Empty: the stored watermark."
    )
    end: AwareDatetime | None = Field(
        None, title="Until", description="Last moment (exclusive). Empty: up to where both sides were pulled."
    )
    everything: bool = Field(
        False,
        title="Everything",
        description="On: all records that our mirror holds of both sides, whatever their dates. "
        "Leave 'From' and 'Until' empty.",
    )

    @property
    def goes_on(self) -> bool:
        """Tell whether the run goes on where the last one ended, and so moves the watermark."""
        return not self.everything and self.start is None and self.end is None

    @property
    def what(self) -> str:
        """Say in a run's name what is compared."""
        if self.everything:
            return "everything"
        if self.goes_on:
            return "since the last run"
        start = f"{self.start:%Y-%m-%d}" if self.start else "the last run"
        return f"{start}…{f'{self.end:%Y-%m-%d}' if self.end else 'now'}"

    @model_validator(mode="after")
    def _times_make_sense(self) -> Self:
        if self.everything and (self.start or self.end):
            raise ValueError(
                "'Everything' compares all dates: leave 'From' and 'Until' empty, or switch it off."
            )
        check_times(self.start, self.end)
        return self
