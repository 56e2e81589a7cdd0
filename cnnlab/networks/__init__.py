"""The networks of the chapter, one readable file each."""
