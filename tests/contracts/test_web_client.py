"""What the web app is generated from equals the API: docs/openapi.json and web/src/api/schema.d.ts."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
GENERATOR = WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
AGAIN = "Run `python tools/openapi.py && (cd web && npm run api)` and commit both files."


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tools_openapi", ROOT / "tools" / "openapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_openapi_document_is_the_one_of_the_code() -> None:
    found = tool()
    assert found.DOCUMENT.read_text() == found.document(), AGAIN


def test_the_typed_client_is_generated_from_the_document(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not GENERATOR.exists():
        assert "CI" not in os.environ, "Run npm ci in web/ before this."
        # allow no-skip: where the web app is not installed nothing can be generated; CI installs it
        pytest.skip("web/node_modules is missing: run npm ci in web/ to compare the generated client")
    fresh = tmp_path / "schema.d.ts"
    document = str(ROOT / "docs" / "openapi.json")
    command = [node, str(GENERATOR), document, "--default-non-nullable=false", "-o", str(fresh)]
    subprocess.run(command, check=True, capture_output=True, cwd=WEB)
    assert (WEB / "src" / "api" / "schema.d.ts").read_text() == fresh.read_text(), AGAIN
