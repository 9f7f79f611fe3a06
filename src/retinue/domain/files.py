"""Files in messages: what they are called, what they are by their bytes, how they may be served. Pure; stores nothing.

A file's type is read from its bytes, never taken from whoever sent it. What a browser would run (HTML, SVG, XML) is
kept but only ever handed out as a download.
"""

import re
import unicodedata
from datetime import datetime
from fnmatch import fnmatchcase
from urllib.parse import quote

from pydantic import computed_field

from retinue import errors
from retinue.domain import ids
from retinue.domain.base import Value
from retinue.domain.ids import FileId

HEAD_BYTES = 4096
"""How much of a file's beginning ``sniff`` wants to see."""
MAX_NAME = 200
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What every browser shows as a picture and nothing else, and every vision model takes."""
ACTIVE = frozenset({"text/html", "image/svg+xml", "application/xml"})
"""What a browser might run."""


class StoredFile(Value):
    """A file as a message's parts hold it."""

    id: FileId
    name: str
    media_type: str
    bytes: int
    width: int | None = None
    height: int | None = None
    preview: bool = False
    created_at: datetime


class File(Value):
    """A file in a message, or one that was uploaded for a message to come."""

    id: FileId
    name: str
    media_type: str
    """By its bytes; ``image/png``, ``image/jpeg``, ``image/gif`` and ``image/webp`` are pictures to show."""
    bytes: int
    width: int | None = None
    """Pixels, as shown; only of pictures."""
    height: int | None = None
    created_at: datetime
    url: str
    """The content, for those who may read a message that holds it."""
    preview_url: str | None = None
    """A picture of at most 640 pixels on each side."""

    @classmethod
    def of(cls, stored: StoredFile) -> "File":
        """The file as people see it."""
        url = f"/v1/files/{ids.encode('file', stored.id)}"
        return cls(
            **stored.model_dump(include=set(StoredFile.model_fields) - {"preview"}),
            url=f"{url}/content",
            preview_url=f"{url}/preview" if stored.preview else None,
        )


class StorageLimits(Value):
    """What a file, and all files of an account together, may take."""

    max_file_bytes: int
    quota_bytes: int
    """0: no limit."""
    types: tuple[str, ...]
    """Media types that are taken, with ``*`` for any."""


class StorageInfo(Value):
    """Where this installation keeps files, and how much of it this account uses."""

    kind: str
    """``database``, ``directory`` or ``s3``."""
    place: str
    limits: StorageLimits
    used_bytes: int
    files: int

    @computed_field
    @property
    def free_bytes(self) -> int | None:
        """What is left of the quota; null without one."""
        quota = self.limits.quota_bytes
        return max(0, quota - self.used_bytes) if quota else None


class StorageTest(Value):
    """Whether a small file could be written, read back and deleted just now."""

    ok: bool
    latency_ms: int
    detail: str


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────


def clean_name(name: str) -> str:
    """A name to show and to save under: no folders, no control or direction-changing characters, at most 200 long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        char for char in last if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )
    kept = " ".join(kept.split()).strip(". ")
    stem, dot, extension = kept.rpartition(".")
    if len(kept) > MAX_NAME and dot and len(extension) <= 16:
        return f"{stem[: MAX_NAME - len(extension) - 1]}.{extension}"
    return kept[:MAX_NAME] or "file"


def disposition(name: str, inline: bool) -> str:
    """The Content-Disposition header, with the name in both notations (RFC 6266, RFC 5987)."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
CONTAINERS: dict[str, dict[str, str]] = {
    "application/zip": {
        "docx": f"{_OFFICE}.wordprocessingml.document",
        "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        "pptx": f"{_OFFICE}.presentationml.presentation",
        "odt": f"{_OPEN}.text",
        "ods": f"{_OPEN}.spreadsheet",
        "odp": f"{_OPEN}.presentation",
    },
    "application/x-ole-storage": {
        "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
    },
}  # fmt: skip
"""What the name may say more exactly; all of it is only ever downloaded."""
TEXTS = {
    "md": "text/markdown", "markdown": "text/markdown", "csv": "text/csv", "tsv": "text/tab-separated-values",
    "json": "application/json", "yaml": "application/yaml", "yml": "application/yaml", "xml": "application/xml",
    "html": "text/html", "htm": "text/html", "xhtml": "text/html", "svg": "image/svg+xml",
}  # fmt: skip
READABLE = frozenset({
    "text/plain", "text/markdown", "text/csv", "text/tab-separated-values", "application/json", "application/yaml",
})  # fmt: skip
"""Text that a model is given to read and a browser shows as plain text."""
_PROLOGUE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?xml[^>]*>|<!--.*?-->)*", re.DOTALL)
_MARKUP = re.compile(
    rb"<(?:!doctype\s+(?P<doctype>html|svg)|(?P<tag>html|head|body|script|iframe|svg)\b)", re.IGNORECASE
)


def sniff(head: bytes, name: str, is_text: bool) -> str:
    """The media type of content that begins so. ``is_text``: all of it is UTF-8 without NUL."""
    extension = name.rpartition(".")[2].lower()
    if not is_text:
        found = next((media for at, magic, media in MAGIC if head[at : at + len(magic)] == magic), None)
        if found in ("image/webp", "audio/wav") and not head.startswith(b"RIFF"):
            found = None
        if found is None:
            return "application/octet-stream"
        return CONTAINERS.get(found, {}).get(extension, found)
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    prologue = _PROLOGUE.match(head)
    markup = _MARKUP.match(head, prologue.end() if prologue else 0)
    if markup:
        return "image/svg+xml" if b"svg" in (markup["doctype"] or markup["tag"]).lower() else "text/html"
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml"):
        return "application/xml"
    return TEXTS.get(extension, "text/plain")


def is_taken(media_type: str, types: tuple[str, ...]) -> bool:
    """Whether one of the patterns takes this type."""
    return any(fnmatchcase(media_type, pattern) for pattern in types)


def served_as(media_type: str, is_picture: bool) -> tuple[str, bool]:
    """The Content-Type to answer with, and whether a browser may show it rather than save it.

    ``is_picture``: its header was read as a picture's, so that it is one and not merely begins like one.
    """
    if media_type in PICTURES and is_picture:
        return media_type, True
    if media_type == "application/pdf":
        return media_type, True
    if media_type in READABLE:
        return "text/plain; charset=utf-8", True
    if media_type.startswith(("audio/", "video/")):
        return media_type, False
    return "application/octet-stream", False


# ── ranges ───────────────────────────────────────────────────────────────────────────────────────────────────────

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The first and the last byte that are asked for; None: all of it. Raises ``RangeNotSatisfiable``.

    Several ranges at once, and what cannot be read, mean all of it (RFC 9110, 14.2).
    """
    found = _RANGE.fullmatch((header or "").replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
        if int(last) == 0:
            start = size
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size:
        raise errors.RangeNotSatisfiable(f"The file has {size} bytes.")
    return start, end
