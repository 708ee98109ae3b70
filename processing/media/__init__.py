"""Pictures and videos: decode, encode, thumbnails."""
