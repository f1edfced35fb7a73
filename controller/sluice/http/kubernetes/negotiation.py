"""In which form the client wants its answer: the object, a table, or its metadata alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sluice.http.kubernetes.errors import not_acceptable

JSON = "application/json"
_JSON_RANGES = {JSON, "application/*", "*/*"}
_META_GROUP = "meta.k8s.io"
_META_VERSIONS = {"v1", "v1beta1"}


@dataclass(frozen=True, slots=True)
class Form:
    """What ``as`` in the Accept header names: ``Table``, ``PartialObjectMetadata``, ... or nothing."""

    kind: str = ""
    group: str = ""
    version: str = ""

    @property
    def is_table(self) -> bool:
        """Rows and columns, as kubectl prints them."""
        return self.kind == "Table" and self.group == _META_GROUP and self.version in _META_VERSIONS

    @property
    def is_metadata(self) -> bool:
        """Only ``metadata``, which is what garbage collectors and the like read."""
        wanted = {"PartialObjectMetadata", "PartialObjectMetadataList"}
        return self.kind in wanted and self.group == _META_GROUP and self.version in _META_VERSIONS

    @property
    def api_version(self) -> str:
        """``group/version`` of the form."""
        return f"{self.group}/{self.version}"


PLAIN = Form()


@lru_cache(maxsize=256)
def forms_of(accept: str) -> tuple[Form, ...]:
    """The forms that an Accept header takes, best first, as far as they are JSON; none given takes any.

    Protobuf and CBOR are passed over: every client that asks for them also takes JSON.
    """
    if not accept:
        return (PLAIN,)
    forms = []
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media in _JSON_RANGES:
            given = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
            forms.append(Form(given.get("as", ""), given.get("g", ""), given.get("v", "")))
    return tuple(forms)


def form_of(accept: str) -> Form:
    """The first form that objects and lists can be answered in; 406 when there is none."""
    for form in forms_of(accept):
        if form == PLAIN or form.is_table or form.is_metadata:
            return form
        if not form.kind:
            return PLAIN
    raise not_acceptable()
