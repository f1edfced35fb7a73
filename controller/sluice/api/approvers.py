"""Who decides."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluice.api.fields import (
    ApiModel,
    ShortText,
)


class Approvers(ApiModel):
    """Who decides, as the API server knows them."""

    users: Annotated[list[ShortText], Field(max_length=64)] | None = None
    groups: Annotated[list[ShortText], Field(max_length=64)] | None = None
