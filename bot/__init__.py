"""Chat: turns what people type and tap into use cases (inbound) and tells people things (outbound)."""
