"""A TLS certificate as an authority issues it: the file has the leaf and what stands between it and the root, no root."""

from __future__ import annotations

from pathlib import Path

from tests.authority import openssl

NEW = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def issued(folder: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """The certificate chain and the key for this address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "between.cnf").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
    (folder / "leaf.cnf").write_text(f"subjectAltName=IP:{address}\nextendedKeyUsage=serverAuth\n")
    openssl(folder, *NEW, "-x509", "-days", "2", "-subj", "/CN=Root", "-keyout", "root.key", "-out", "root.pem")
    for name, by in (("between", "root"), ("leaf", "between")):
        openssl(folder, *NEW, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signing = ("-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial")
        openssl(folder, "x509", *signing, "-days", "2", "-extfile", f"{name}.cnf", "-out", f"{name}.pem")
    chain = folder / "fullchain.pem"
    chain.write_bytes((folder / "leaf.pem").read_bytes() + (folder / "between.pem").read_bytes())
    return chain, folder / "leaf.key"
