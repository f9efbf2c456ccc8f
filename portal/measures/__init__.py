"""What the portal saves and where it holds people up, counted for the clinic: sums of many people, nothing about anybody."""
