"""CNN Lab: the networks of the chapter, looked at, looked through and trained."""
