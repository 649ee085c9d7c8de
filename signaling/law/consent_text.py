"""The words a person agrees to before being recorded, their version, and the hash that evidence keeps of them.

A word changed is a new `VERSION`: what a recording's consent record names must stay findable for as long as the
recording is kept. Lawful bases and retention are the hospital's; these words say what this software does.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

Language = Literal["zh", "en"]

VERSION = "2026-11"

_ZH = """\
为保障您的权益并留存诊疗过程,本次视频问诊将被全程录音录像。
一、录制内容:您与医生双方的声音和画面(包括共享的屏幕)、进入和离开的时间、静音和关闭摄像头等操作。
二、用途:作为本次诊疗过程的记录,供医疗质量管理、监管部门检查和争议处理时查阅;每一次查阅都会留下记录。
三、保存:录像按医院规定和国家要求的期限保存,任何改动都能被查出,不会用于广告或公开传播。
四、您的权利:您可以拒绝,也可以在问诊过程中随时撤回同意。撤回后立即停止录制您的声音和画面,已经录制的部分在规定期限内依法保存。医院要求录制的问诊,在拒绝或撤回后将无法继续,您可以改为线下就诊。
本服务不适用于急危重症。如有紧急情况,请立即拨打 120。
"""

_EN = """\
To protect you and to keep a record of your care, this video consultation will be recorded from beginning to \
end.
1. What is recorded: the sound and picture of you and of the doctor (including a shared screen), the times of \
entering and leaving, and actions such as muting or switching off a camera.
2. What for: as the record of this consultation, for quality review, for inspection by the authorities and for \
settling disputes. Every viewing leaves a trace of its own.
3. How it is kept: for as long as the hospital's rules and the law require, in a form in which any change would \
show. It is never used for advertising and never made public.
4. Your rights: you may refuse, and you may withdraw your consent at any time during the consultation. After a \
withdrawal your sound and picture are no longer recorded; what was recorded before is kept for the period the \
law requires. Where the hospital requires a recording, the consultation cannot go on after a refusal or a \
withdrawal; you may see a doctor in person instead.
This service is not for emergencies. In an emergency call your local emergency number (120 in China) at once.
"""


class ConsentText(msgspec.Struct, frozen=True):
    """One language's words; `sha256` is over the UTF-8 bytes of `text`, in hex."""

    version: str
    language: Language
    text: str
    sha256: str


def _text(language: Language, text: str) -> ConsentText:
    return ConsentText(VERSION, language, text, hashlib.sha256(text.encode()).hexdigest())


TEXTS: dict[Language, ConsentText] = {"zh": _text("zh", _ZH), "en": _text("en", _EN)}
SHA256: dict[str, str] = {language: text.sha256 for language, text in TEXTS.items()}


def is_shown(language: str, version: str, sha256: str) -> bool:
    """Whether these are words that this server shows."""
    return version == VERSION and SHA256.get(language) == sha256
