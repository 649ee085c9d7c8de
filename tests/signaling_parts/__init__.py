"""Parts for tests of the realtime half of signaling: stores in memory, processes behind real sockets, the real gateway,
and clients by python-socketio."""

from tests.patience import until
from tests.signaling_parts.client import CONSENT, Client
from tests.signaling_parts.messages import MemoryMessages
from tests.signaling_parts.processes import FakeMedia
from tests.signaling_parts.server import Server, serving
from tests.signaling_parts.stores import LIMITS, facts

__all__ = ["CONSENT", "LIMITS", "Client", "FakeMedia", "MemoryMessages", "Server", "facts", "serving", "until"]
