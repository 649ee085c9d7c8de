"""Recordings and the evidence for them: order, mux, seal, store, audit, verify."""
