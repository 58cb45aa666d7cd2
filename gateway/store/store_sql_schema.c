/*
 * The schema, as numbered upgrades: upgrade 1 makes the first one. An upgrade is never changed once
 * a release has it; a change of the schema is a new row. Codes of states and reasons are those of
 * gateway/work; times are UTC microseconds; '' is a text that is not set.
 *
 * n is the part of an id (UUIDv7) that says when it was made, a number that only grows: rows are
 * appended, and references are short. The rest of an id follows from n and the store's own key,
 * meta.id_key (sql.c).
 *
 * What must be durable before the answer is one append to `message` and its key: what it means for
 * visits is written down when work is claimed next (store_sql_sort.c). Rows of `message` up to
 * meta.sorted are sorted; their progress is in `inbox`.
 */
#include "gateway/store/store_sql.h"

/* 1: the first schema. */
static const char *const first[] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID",
    "INSERT INTO meta VALUES('fence', 0), ('sorted', 0)",

    "CREATE TABLE ehr("
    " name TEXT PRIMARY KEY, base_url TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',"
    " advice TEXT NOT NULL DEFAULT '', error_at INT NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID",

    /* key_until: the key is taken until then; triggers: store_sql_sort.c; record: record.h */
    "CREATE TABLE message("
    " n INTEGER PRIMARY KEY, ehr TEXT NOT NULL, kind INT NOT NULL, sender TEXT NOT NULL,"
    " key TEXT NOT NULL, key_hash INT NOT NULL, key_until INT NOT NULL, type TEXT NOT NULL,"
    " resource TEXT NOT NULL, version TEXT NOT NULL, received INT NOT NULL, settle INT NOT NULL,"
    " settle_most INT NOT NULL, triggers TEXT NOT NULL, record BLOB NOT NULL) STRICT",
    "CREATE INDEX message_key ON message(key_hash)",

    "CREATE TABLE inbox("
    " n INTEGER PRIMARY KEY, ehr TEXT NOT NULL, state INT NOT NULL, reason INT NOT NULL,"
    " ended INT NOT NULL) STRICT",
    "CREATE INDEX inbox_state ON inbox(state, ended, ehr)",
    "CREATE INDEX inbox_open ON inbox(n) WHERE state IN (5, 6)",

    /* n of the owner * 8 + part */
    "CREATE TABLE record(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT",

    /* fence 0: not claimed */
    "CREATE TABLE evaluation("
    " n INTEGER PRIMARY KEY, ehr TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL,"
    " state INT NOT NULL, reason INT NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '',"
    " first INT NOT NULL, due INT NOT NULL, at INT NOT NULL, not_before INT NOT NULL DEFAULT 0,"
    " tries INT NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', fence INT NOT NULL DEFAULT 0,"
    " lease INT NOT NULL DEFAULT 0, replaced_by INT NOT NULL DEFAULT 0,"
    " mapping TEXT NOT NULL DEFAULT '', mapping_version TEXT NOT NULL DEFAULT '',"
    " mapping_hash TEXT NOT NULL DEFAULT '', ended INT NOT NULL DEFAULT 0) STRICT",
    "CREATE INDEX evaluation_due ON evaluation(ehr, due) WHERE state <= 2 AND fence = 0",
    "CREATE UNIQUE INDEX evaluation_claim ON evaluation(ehr, patient) WHERE fence <> 0",
    "CREATE INDEX evaluation_visit ON evaluation(ehr, patient, visit)",
    "CREATE INDEX evaluation_state ON evaluation(state, ended, ehr)",
    "CREATE INDEX evaluation_open ON evaluation(n) WHERE state IN (5, 6) AND replaced_by = 0",

    "CREATE TABLE triggered("
    " evaluation INT NOT NULL, message INT NOT NULL, PRIMARY KEY(evaluation, message))"
    " STRICT, WITHOUT ROWID",
    "CREATE INDEX triggered_message ON triggered(message)",

    "CREATE TABLE item("
    " n INTEGER PRIMARY KEY, identifier BLOB NOT NULL UNIQUE, ehr TEXT NOT NULL,"
    " patient TEXT NOT NULL, mapping TEXT NOT NULL, plan TEXT NOT NULL, key TEXT NOT NULL,"
    " episode INT NOT NULL, type TEXT NOT NULL, life INT NOT NULL, ehr_id TEXT NOT NULL DEFAULT '',"
    " ehr_version TEXT NOT NULL DEFAULT '', base_at INT NOT NULL DEFAULT 0) STRICT",
    "CREATE UNIQUE INDEX item_key ON item(ehr, patient, mapping, plan, key, episode)",
    "CREATE INDEX item_resource ON item(ehr, type, ehr_id) WHERE ehr_id <> ''",

    /* ok: what waits for this row may go on. settle: of a lost claim, before it is looked up */
    "CREATE TABLE outbox("
    " n INTEGER PRIMARY KEY, ehr TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL,"
    " evaluation INT NOT NULL, kind INT NOT NULL, item INT NOT NULL, ord INT NOT NULL,"
    " after INT NOT NULL, state INT NOT NULL, reason INT NOT NULL DEFAULT 0,"
    " detail TEXT NOT NULL DEFAULT '', ok INT NOT NULL DEFAULT 0, tries INT NOT NULL DEFAULT 0,"
    " not_before INT NOT NULL DEFAULT 0, expires INT NOT NULL DEFAULT 0,"
    " look_up INT NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '',"
    " fence INT NOT NULL DEFAULT 0, lease INT NOT NULL DEFAULT 0, settle INT NOT NULL DEFAULT 0,"
    " ended INT NOT NULL DEFAULT 0) STRICT",
    "CREATE INDEX outbox_ready ON outbox(ehr, not_before) WHERE state IN (1, 2, 4)",
    "CREATE INDEX outbox_patient ON outbox(ehr, patient) WHERE state <= 4",
    "CREATE INDEX outbox_lease ON outbox(lease) WHERE state = 3",
    "CREATE INDEX outbox_expires ON outbox(expires) WHERE state IN (1, 2) AND expires > 0",
    "CREATE UNIQUE INDEX outbox_evaluation ON outbox(evaluation, ord)",
    "CREATE INDEX outbox_item ON outbox(item) WHERE state <= 4",
    "CREATE INDEX outbox_state ON outbox(state, ehr)",

    "CREATE TABLE attempt("
    " change INT NOT NULL, number INT NOT NULL, started INT NOT NULL,"
    " ended INT NOT NULL DEFAULT 0, outcome INT NOT NULL DEFAULT 0,"
    " reason INT NOT NULL DEFAULT 0, http INT NOT NULL DEFAULT 0,"
    " detail TEXT NOT NULL DEFAULT '', PRIMARY KEY(change, number)) STRICT, WITHOUT ROWID",

    /* previous: SHA-256 of the line before; chain: of the last line */
    "CREATE TABLE trail("
    " ehr TEXT NOT NULL, number INT NOT NULL, at INT NOT NULL, what TEXT NOT NULL,"
    " subject INT NOT NULL, patient TEXT NOT NULL, body BLOB NOT NULL, previous BLOB NOT NULL,"
    " PRIMARY KEY(ehr, number)) STRICT",
    "CREATE INDEX trail_subject ON trail(subject)",
    "CREATE TABLE chain(ehr TEXT PRIMARY KEY, number INT NOT NULL, hash BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID",

    "CREATE TABLE poll("
    " ehr TEXT NOT NULL, name TEXT NOT NULL, watermark INT NOT NULL DEFAULT 0,"
    " asked INT NOT NULL DEFAULT 0, answered INT NOT NULL DEFAULT 0,"
    " last_done INT NOT NULL DEFAULT 0, last_tried INT NOT NULL DEFAULT 0,"
    " error TEXT NOT NULL DEFAULT '', PRIMARY KEY(ehr, name)) STRICT, WITHOUT ROWID",
    "CREATE TABLE subscription("
    " ehr TEXT NOT NULL, name TEXT NOT NULL, ehr_id TEXT NOT NULL, status TEXT NOT NULL,"
    " error TEXT NOT NULL, checked INT NOT NULL, PRIMARY KEY(ehr, name)) STRICT, WITHOUT ROWID",
    "CREATE TABLE capability("
    " ehr TEXT PRIMARY KEY, etag TEXT NOT NULL, fetched INT NOT NULL, record BLOB NOT NULL) STRICT",
    "CREATE TABLE patient("
    " ehr TEXT NOT NULL, id TEXT NOT NULL, merged_into TEXT NOT NULL, updated INT NOT NULL,"
    " PRIMARY KEY(ehr, id)) STRICT, WITHOUT ROWID",
    "CREATE TABLE switch("
    " ehr TEXT NOT NULL, name TEXT NOT NULL, is_on INT NOT NULL, by TEXT NOT NULL,"
    " why TEXT NOT NULL, at INT NOT NULL, PRIMARY KEY(ehr, name)) STRICT, WITHOUT ROWID",
    NULL};

/* 2: what is known of an item beside its base, and what was declined. The bytes last wanted are a
 * record of the item (RECORD_WANTED), and need no column. */
static const char *const second[] = {
    "ALTER TABLE item ADD COLUMN version TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE item ADD COLUMN visit TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX item_version ON item(ehr, mapping, version, patient) WHERE ehr_id <> ''",
    "CREATE TABLE declined("
    " ehr TEXT NOT NULL, patient TEXT NOT NULL, mapping TEXT NOT NULL, until INT NOT NULL,"
    " by TEXT NOT NULL, at INT NOT NULL, PRIMARY KEY(ehr, patient, mapping))"
    " STRICT, WITHOUT ROWID",
    NULL};

/* 3: standing holds (patient '': of the whole EHR); what was ever planned for an item; the keys
 * that records are or were sealed under, each with a record that only that key opens. Rows are
 * counted by EHR and state in the order of an index: a million of them are not sorted in memory for
 * it. */
static const char *const third[] = {
    "CREATE TABLE hold("
    " ehr TEXT NOT NULL, patient TEXT NOT NULL, by TEXT NOT NULL, why TEXT NOT NULL,"
    " at INT NOT NULL, PRIMARY KEY(ehr, patient)) STRICT, WITHOUT ROWID",
    "CREATE INDEX outbox_item_all ON outbox(item, n)",
    "CREATE INDEX inbox_count ON inbox(ehr, state)",
    "CREATE INDEX evaluation_count ON evaluation(ehr, state)",
    "CREATE TABLE seal_key(number INTEGER PRIMARY KEY, proof BLOB NOT NULL, since INT NOT NULL)"
    " STRICT",
    NULL};

/* 4: which message told of a resource last, for when it is deleted. Written when messages are
 * sorted; a deletion tells nothing. */
static const char *const latest[] = {
    "CREATE TABLE latest("
    " ehr TEXT NOT NULL, type TEXT NOT NULL, resource TEXT NOT NULL, message INT NOT NULL,"
    " PRIMARY KEY(ehr, type, resource)) STRICT, WITHOUT ROWID",
    "INSERT INTO latest SELECT ehr, type, resource, max(n) FROM message"
    " WHERE resource <> '' AND triggers <> '' AND key NOT LIKE '%/deleted/%'"
    " AND n <= (SELECT value FROM meta WHERE name = 'sorted') GROUP BY ehr, type, resource",
    NULL};

/* 5: what a mapping's timers wait for. A row is there until it falls due: then a message takes its
 * place. */
static const char *const timers[] = {
    "CREATE TABLE timer("
    " ehr TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL, mapping TEXT NOT NULL,"
    " name TEXT NOT NULL, date TEXT NOT NULL, due INT NOT NULL,"
    " PRIMARY KEY(ehr, patient, visit, mapping, name)) STRICT, WITHOUT ROWID",
    "CREATE INDEX timer_due ON timer(ehr, due)", NULL};

const struct sql_upgrade sql_upgrades[] = {
    {1, first}, {2, second}, {3, third}, {4, latest}, {5, timers}};

const size_t sql_upgrade_count = sizeof sql_upgrades / sizeof *sql_upgrades;
