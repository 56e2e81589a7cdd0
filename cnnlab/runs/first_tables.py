"""Tables of the store's first version; SCRIPTS in `store` bring them up to date."""

FIRST_TABLES = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, visitor TEXT NOT NULL, page TEXT NOT NULL, name TEXT NOT NULL,
    network TEXT NOT NULL, dataset TEXT NOT NULL, config TEXT NOT NULL,
    environment TEXT NOT NULL DEFAULT '{}', owner TEXT NOT NULL,
    status TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', weights TEXT,
    pinned INTEGER NOT NULL DEFAULT 0, token TEXT,
    queued_s REAL NOT NULL, started_s REAL, ended_s REAL
);
CREATE INDEX runs_by_visitor ON runs (visitor, queued_s DESC);
CREATE INDEX runs_active ON runs (owner) WHERE status IN ('queued', 'running');
CREATE TABLE points (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    loss REAL, accuracy REAL, lr REAL, images_per_s REAL, eta_s REAL
);
CREATE INDEX points_by_run ON points (run);
CREATE TABLE evaluations (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    loss REAL, accuracy REAL
);
CREATE INDEX evaluations_by_run ON evaluations (run);
"""
