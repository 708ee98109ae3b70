"""What a labeler may be asked about pictures whose truth is known, and which of it is wrong."""
