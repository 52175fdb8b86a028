/**
 * Format 2 of the file: queues beside the streams.
 *
 * Holds and delays end by the file's own clock (`file_clock`), which goes on when the host's clock is set back:
 * messages would stay hidden for as long as the clock was set back otherwise. Bodies have a table of their own, so that
 * a hold that is extended does not write them again. A group's row says from when on its first message may be given
 * (`ready_ms`): a receive finds the ready groups without looking at the messages of those that are held back.
 */
export const QUEUE_SCHEMA = `
  CREATE TABLE file_clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    host_ms INTEGER NOT NULL,
    file_ms INTEGER NOT NULL
  ) STRICT;
  INSERT INTO file_clock VALUES (1, 0, 0);
  CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    is_fifo INTEGER NOT NULL,
    visibility_ms INTEGER NOT NULL,
    delay_ms INTEGER NOT NULL,
    retention_ms INTEGER,
    dead_letter_queue INTEGER REFERENCES queue (id),
    receive_count_max INTEGER,
    last_sequence INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    group_id TEXT,
    visible_ms INTEGER NOT NULL,
    receipt TEXT,
    receive_count INTEGER NOT NULL DEFAULT 0,
    first_received_ms INTEGER,
    arrived_ms INTEGER NOT NULL,
    dead_letter_source TEXT
  ) STRICT;
  CREATE UNIQUE INDEX message_by_sequence ON message (queue, sequence);
  CREATE INDEX message_by_visibility ON message (queue, visible_ms, sequence) WHERE group_id IS NULL;
  CREATE INDEX message_by_group ON message (queue, group_id, sequence) WHERE group_id IS NOT NULL;
  CREATE INDEX message_held ON message (queue, group_id, visible_ms) WHERE group_id IS NOT NULL AND receipt IS NOT NULL;
  CREATE TABLE message_content (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    deduplication_id TEXT,
    trace_header TEXT,
    attributes TEXT,
    attributes_md5 TEXT,
    body_md5 TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE message_group (
    queue INTEGER NOT NULL,
    group_id TEXT NOT NULL,
    ready_ms INTEGER NOT NULL,
    head_sequence INTEGER NOT NULL,
    PRIMARY KEY (queue, group_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_group_by_readiness ON message_group (queue, ready_ms, head_sequence);
  CREATE TABLE deduplication (
    queue INTEGER NOT NULL,
    deduplication_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (queue, deduplication_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deduplication_by_end ON deduplication (until_ms);
`;
