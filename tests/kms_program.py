"""A key management service as ``RETINUE_KMS_COMMAND`` calls one: ``python kms_program.py FOLDER wrap|unwrap``.

Its keys are files in the folder, the last of them wraps. A file ``fault`` there says how it is to fail; each call
leaves a line in ``calls``. It knows Retinue by the contract alone.
"""

import base64
import json
import os
import sys
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def main(folder: Path, what: str) -> int:
    with (folder / "calls").open("a") as calls:
        calls.write(f"{what} {' '.join(sorted(name for name in os.environ if name.startswith('RETINUE_')))}\n")
    fault = (folder / "fault").read_text() if (folder / "fault").exists() else ""
    question = json.loads(sys.stdin.read()) if fault != "deaf" else {}
    if fault == "hang":
        threading.Event().wait(60)
    if fault == "down":
        sys.stderr.write(f"AccessDenied for {question.get('plaintext')}\n")
        return 7
    if fault == "flood":
        sys.stdout.write("x" * 10_000_000)
        return 0
    if fault in ("deaf", "nonsense"):
        sys.stdout.write("[1, 2" if fault == "nonsense" else '{"key_id": 1, "plaintext": ""}')
        return 0
    context = json.dumps(question["context"], sort_keys=True).encode()
    answer = wrap(folder, question, context, fault) if what == "wrap" else unwrap(folder, question, context)
    sys.stdout.write(json.dumps(answer))
    return 0


def wrap(folder: Path, question: dict[str, str], context: bytes, fault: str) -> dict[str, str]:
    newest = sorted(folder.glob("key-*"))[-1]
    nonce = os.urandom(12)
    plain = base64.b64decode(question["plaintext"])
    if fault == "forgets":
        plain = os.urandom(len(plain))
    sealed = AESGCM(newest.read_bytes()).encrypt(nonce, plain, context)
    return {"key_id": newest.name, "ciphertext": base64.b64encode(nonce + sealed).decode()}


def unwrap(folder: Path, question: dict[str, str], context: bytes) -> dict[str, str]:
    sealed = base64.b64decode(question["ciphertext"])
    key = (folder / question["key_id"]).read_bytes()
    return {"plaintext": base64.b64encode(AESGCM(key).decrypt(sealed[:12], sealed[12:], context)).decode()}


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
    except (InvalidTag, OSError) as error:
        sys.stderr.write(f"InvalidCiphertext: {type(error).__name__}\n")
        sys.exit(1)
