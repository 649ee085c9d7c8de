"""The messages of a visit: who is told, and what is noted of them (SIG-16, SIG-20)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from signaling.law import standing
from signaling.law.messages import Message
from signaling.law.outputs import MarkNoted, TellMessage
from signaling.law.reported import MessageKept, MessagesFound
from signaling.law.step import Step


def hear(step: Step, given: MessageKept | MessagesFound) -> None:
    """What is durable, or was found."""
    match given:
        case MessageKept(message):
            if message.seq <= step.life.last_message:
                return  # sent again after a lost acknowledgement
            step.life = replace(step.life, last_message=message.seq, unnoted=(*step.life.unnoted, message))
            step.out.append(TellMessage(message))
            note(step, (message,))
        case MessagesFound(last, unnoted):
            step.life = replace(step.life, last_message=max(last, step.life.last_message), unnoted=unnoted)
            note(step, unnoted)


def note(step: Step, unnoted: Iterable[Message]) -> None:
    """Note them, if the log is open."""
    if step.facts.log_open and not step.life.sealing:
        step.out += [standing.message_note(message) for message in unnoted]


def noted(step: Step, key: str) -> None:
    """The message under this key is on the log."""
    seq = int(key.removeprefix("message:"))
    left = tuple(each for each in step.life.unnoted if each.seq != seq)
    if len(left) != len(step.life.unnoted):
        step.life = replace(step.life, unnoted=left)
        step.out.append(MarkNoted(seq))
