"""All that may happen to a visit."""

from signaling.asked import Asked
from signaling.reported import Reported

Input = Asked | Reported
