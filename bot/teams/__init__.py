"""Microsoft Teams: the only home of botbuilder. The guard decides what is believed before the SDK sees a byte."""
