"""All that may happen to a visit."""

from signaling.law.asked import Asked
from signaling.law.reported import Reported

Input = Asked | Reported
