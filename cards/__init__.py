"""What is shown and how it is drawn: topics build a `CardView`, renderers draw it. All wording lives here."""
