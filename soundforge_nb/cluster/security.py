"""Mutual TLS: one key pair a data folder. Who can read it may connect, nobody else."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from distributed.security import Security

from soundforge_nb.errors import AccessRefused

_CERTIFICATE = "certificate.pem"
_KEY = "key.pem"
_LIFETIME = dt.timedelta(days=3650)


def ensure_keys(folder: Path) -> None:
    """Make the key pair where there is none: the key 0600, its folder 0700.

    The certificate is its own authority: both ends hold it and show it, so a client without the key
    is refused in the handshake. Call it while holding the data folder's lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if (folder / _KEY).exists() and (folder / _CERTIFICATE).exists():
        return
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "soundforge_nb")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # The certificate comes last: whoever is killed in between leaves a folder that counts as empty.
    (folder / _CERTIFICATE).unlink(missing_ok=True)
    _write_private(folder / _KEY, private)
    _write_private(folder / _CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))


def security_of(folder: Path) -> Security:
    """Dask's security settings for the key pair in `folder`.

    Raises
    ------
    AccessRefused
        There is no key pair, or it can't be read.
    """
    key, certificate = folder / _KEY, folder / _CERTIFICATE
    try:
        key.read_bytes()
        certificate.read_bytes()
    except OSError as error:
        raise AccessRefused(
            f"The keys in {folder} can't be read: {os.strerror(error.errno or 0)}.",
            "Only the person whose data folder it is may connect.",
        ) from error
    pair = {
        f"tls_{role}_{part}": str(file)
        for role in ("client", "scheduler", "worker")
        for part, file in (("key", key), ("cert", certificate))
    }
    return Security(tls_ca_file=str(certificate), require_encryption=True, **pair)


def _write_private(file: Path, content: bytes) -> None:
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    temporary.replace(file)
