"""What the core needs from the outside, as Protocols: one module per neighbour. Adapters implement them, tests fake them."""
