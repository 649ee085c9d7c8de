"""What stands beside the evidence in a bundle, for the person who is handed it."""

from __future__ import annotations

from pathlib import Path

_EN = """# Recording of visit {visit}

A video visit as it was recorded, with the evidence to prove it. Nothing here needs the server it came from.

- Recorded by: `{origin}`
- Signing key (Ed25519, SHA-256 of the public key): `{key}`

**Compare this fingerprint with one you got another way** (the hospital's notice board, its web site, an earlier recording).
What stands in this folder cannot vouch for itself.

## Verify
```
sh verify.sh                                     # any Unix with openssl 3; or:
pip install teleconsult && teleconsult verify .
```
The two share no code. (Better still, run a `verify.sh`, with its folder `verify`, that you got elsewhere:
`sh verify.sh FOLDER`.)

Two verdicts:

- **intact**: everything the signed records name is here, unaltered, and nothing else;
- **complete**: the recording was closed, and every moment of every stream is present or its absence is declared.

## Play
```
cat streams/patient/part-001/init.* streams/patient/part-001/seg-* > patient.webm
```
(`.mkv` where the segments are.) Where the records have lines of type `key`, the media here is sealed: two people of the
hospital hand out its keys with an export, as `{visit}.keys.json` (or `.keys.age`, encrypted) beside this folder, and
`teleconsult open FOLDER` makes plain files; so does the auditor's page, in the browser. Verifying needs no key.
Each participant is a stream of its own; all streams share one clock.

## Read
`records/*.jsonl` says, line by line, what happened: consent, start, each segment with its hashes, each gap and its cause,
the end. No name stands in it. The format, and every rule a verifier may name, is in the project's `recorder/FORMAT.md`.

## What this does not prove
What happened before the recorder (an injected camera), a recorder that lies under its own key, or that other visits exist.
"""

_ZH = """# 就诊 {visit} 的录像

一次视频就诊的原始录像，以及证明其真实性的证据。验证时不需要原服务器。

- 录制方：`{origin}`
- 签名公钥指纹（Ed25519，公钥的 SHA-256）：`{key}`

**请通过其他途径核对此指纹**（医院公告、官网，或以往的录像）。本文件夹中的内容不能证明自身可信。

## 验证
```
sh verify.sh                                     # 任何装有 openssl 3 的 Unix；或者：
pip install teleconsult && teleconsult verify .
```
两者互不共用代码。（更稳妥：使用从其他途径取得的 `verify.sh` 及其 `verify` 文件夹：`sh verify.sh 文件夹`。）

结论有两项：

- **未被改动（intact）**：签名记录所列的内容全部在此，未被改动，也没有多余的内容；
- **完整（complete）**：录像已正常结束，每路画面的每一刻要么存在，要么缺失原因已写明。

## 播放
```
cat streams/patient/part-001/init.* streams/patient/part-001/seg-* > patient.webm
```
（若分段为 `.mkv`，则输出 `.mkv`。）若记录中有 `key` 类型的行，则此处的音视频已加密：密钥经医院两人共同同意后随导出给出，
即本文件夹旁边的 `{visit}.keys.json`（加密时为 `.keys.age`）；用 `teleconsult open 文件夹` 得到可播放的文件，
也可在审计页面中直接查看。验证不需要密钥。每位参与者单独一路，各路使用同一时钟。

## 查阅
`records/*.jsonl` 逐行记录所发生的事情：同意、开始、每个分段及其哈希、每处缺失及原因、结束。其中不含姓名。
格式和验证规则见本项目的 `recorder/FORMAT.md`。

## 不能证明的内容
录制之前发生的事（例如虚拟摄像头）、录制方以自己的密钥作假、以及是否还有其他就诊。
"""


def readme_en(visit: str, origin: str | None, key: str | None) -> str:
    """README.en.md."""
    return _EN.format(visit=visit, origin=origin or "?", key=key or "?")


def readme_zh(visit: str, origin: str | None, key: str | None) -> str:
    """README.zh.md."""
    return _ZH.format(visit=visit, origin=origin or "?", key=key or "?")


def verifiers() -> dict[str, bytes]:
    """verify.sh and what it uses, by their names in a bundle: the whole verifier for a machine that has only openssl."""
    here = Path(__file__).parents[1]
    files = [here / "verify.sh", *sorted((here / "verify").glob("*.sh")), *sorted((here / "verify").glob("*.awk"))]
    return {file.relative_to(here).as_posix(): file.read_bytes() for file in files}
