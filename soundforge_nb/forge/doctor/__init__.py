"""The doctor: looks at all a Forge needs, says what is wrong and what to do, and changes nothing."""
