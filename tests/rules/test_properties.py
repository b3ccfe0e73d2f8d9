"""What holds whatever is proposed, in whatever order."""
