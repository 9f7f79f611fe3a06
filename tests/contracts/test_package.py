"""What is released: a wheel and a source archive that bring the built web app along, so that nobody needs Node."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ("index.html", "assets/index-B4x9.js", "assets/index-B4x9.js.br")
SOURCES = ("pyproject.toml", "README.md", "LICENSE", ".gitignore")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the build reads of this checkout, with a small build of the web app in place of the real one."""
    place = tmp_path / "checkout"
    shutil.copytree(ROOT / "src", place / "src", ignore=shutil.ignore_patterns("__pycache__", "web"))
    for name in SOURCES:
        shutil.copy(ROOT / name, place / name)
    for name in BUILT:
        path = place / "src/retinue/web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("built")
    (place / "web/node_modules").mkdir(parents=True)
    (place / "web/node_modules/big.js").write_text("not ours")
    return place


def test_wheel_and_source_archive_carry_the_built_web_app(checkout: Path, tmp_path: Path) -> None:
    out = tmp_path / "dist"
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", out], cwd=checkout, check=True, timeout=60)
    wheel = set(zipfile.ZipFile(next(out.glob("*.whl"))).namelist())
    assert {f"retinue/web/{name}" for name in BUILT} <= wheel
    assert not [name for name in wheel if "node_modules" in name]
    with tarfile.open(next(out.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {f"src/retinue/web/{name}" for name in BUILT} <= names
    assert not [name for name in names if "node_modules" in name]
