"""By which certificate does the paper exchange prove to be the venue's hosts?"""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

VALID = timedelta(days=30)
RENEW_BEFORE = timedelta(days=2)


def server_context(folder: Path, hosts: Sequence[str]) -> tuple[ssl.SSLContext, Path]:
    """Return the server's TLS context and the file of the authority that clients trust.

    Both are made at first start, readable by their owner only, short-lived, and made anew when
    they are about to expire or a host is missing. No system store is touched.

    Args:
        folder: Where they are kept; made if absent.
        hosts: Names that the certificate answers for.
    """
    authority, leaf = folder / "ca.pem", folder / "server.pem"
    if not _is_usable(leaf, hosts) or not authority.exists():
        _make(authority, leaf, hosts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(leaf)
    return context, authority


def _make(authority: Path, leaf: Path, hosts: Sequence[str]) -> None:
    authority.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca = trustme.CA(organization_name="Plimsoll paper exchange")
    issued = ca.issue_cert(*hosts, not_after=datetime.now(UTC) + VALID)
    chain = [issued.private_key_pem, *issued.cert_chain_pems]
    _write(authority, ca.cert_pem.bytes())
    _write(leaf, b"".join(blob.bytes() for blob in chain))


def _write(file: Path, content: bytes) -> None:
    # Private before it has content; replaced in one step, so a reader never sees half of it.
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.chmod(0o600)
    unfinished.write_bytes(content)
    unfinished.replace(file)


def _is_usable(leaf: Path, hosts: Sequence[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(leaf.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    known = set(names.value.get_values_for_type(x509.DNSName))
    fresh = certificate.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE
    return fresh and set(hosts) <= known
