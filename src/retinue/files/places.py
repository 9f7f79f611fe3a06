"""Reads ``RETINUE_FILES`` and opens the storage it names."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from retinue import errors, settings
from retinue.db.pool import Database
from retinue.domain.files import StorageLimits
from retinue.files import s3
from retinue.files.database import DatabaseStorage
from retinue.files.directory import DirectoryStorage
from retinue.files.shelf import Shelf
from retinue.files.storage import Storage
from retinue.settings import Settings

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def shelf(db: Database, configured: Settings) -> Shelf:
    """The installation's files. Raises ``Misconfigured`` with what to write instead."""
    types = tuple(part.strip() for part in configured.file_types.split(",") if part.strip())
    limits = StorageLimits(
        max_file_bytes=configured.max_file_bytes, quota_bytes=configured.file_quota_bytes, types=types
    )
    return Shelf(db, storage(db, configured.files, settings.provider_env(KEYS)), limits)


def storage(db: Database, setting: str, keys: dict[str, str]) -> Storage:
    """The storage that the setting names."""
    kind, _, rest = setting.partition(":")
    match kind:
        case "database" if not rest:
            return DatabaseStorage(db)
        case "directory" if Path(rest).is_absolute():
            return DirectoryStorage(Path(rest))
        case "s3" if rest.startswith("//"):
            return s3.S3Storage(_target(setting), _credentials(keys))
        case _:
            raise errors.Misconfigured(
                f"RETINUE_FILES is {setting!r}. Write database, directory:/absolute/path, or "
                "s3://bucket/prefix?endpoint=https://...&region=..."
            )


def _target(setting: str) -> s3.Target:
    parts = urlsplit(setting)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := asked.keys() - {"endpoint", "region"}:
        raise errors.Misconfigured(f"RETINUE_FILES: {', '.join(sorted(unknown))} is not known beside s3://.")
    return s3.Target.of(parts.netloc, parts.path.strip("/"), asked.get("region", ""), asked.get("endpoint", ""))


def _credentials(keys: dict[str, str]) -> s3.Keys:
    if not all(name in keys for name in KEYS[:2]):
        raise errors.Misconfigured(f"RETINUE_FILES names an S3 storage: set {KEYS[0]} and {KEYS[1]}.")
    return s3.Keys(keys[KEYS[0]], keys[KEYS[1]], keys.get(KEYS[2]))
