"""What every room may lean on: settings, logs, the clock, and the control link. Imports none of the other rooms."""
