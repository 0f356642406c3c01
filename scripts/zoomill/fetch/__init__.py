"""Files of cards: from the cache, mirrors or URLs, checked and unpacked."""
