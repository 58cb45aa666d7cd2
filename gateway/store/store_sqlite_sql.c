/* Statements: prepared once, bound in order, always ended. */
#include "gateway/store/store_sqlite.h"

static const char *const texts[SQL_COUNT] = {
#define SQL(id, text) text,
#include "gateway/store/statements.def"
#undef SQL
};

static enum status status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STATUS_OK;
    case SQLITE_NOMEM:
        return STATUS_NO_MEMORY;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
        return STATUS_INVALID;
    default: /* full, read-only, I/O error, corrupt: the disk */
        return STATUS_IO;
    }
}

struct sql sql_begin(struct connection *connection, enum sql_id id)
{
    struct sql sql = {.connection = connection, .rc = SQLITE_OK};
    if (connection->statements[id] == NULL) {
        sql.rc = sqlite3_prepare_v3(connection->db, texts[id], -1, SQLITE_PREPARE_PERSISTENT,
                                    &connection->statements[id], NULL);
    }
    sql.statement = connection->statements[id];
    return sql;
}

static void bound(struct sql *sql, int rc)
{
    if (sql->rc == SQLITE_OK) {
        sql->rc = rc;
    }
}

void sql_text(struct sql *sql, struct slice text)
{
    const char *at = text.at != NULL ? text.at : "";
    bound(sql, sqlite3_bind_text64(sql->statement, ++sql->bound, at, text.len, SQLITE_STATIC,
                                   SQLITE_UTF8));
}

void sql_blob(struct sql *sql, struct slice bytes)
{
    const char *at = bytes.at != NULL ? bytes.at : "";
    bound(sql, sqlite3_bind_blob64(sql->statement, ++sql->bound, at, bytes.len, SQLITE_STATIC));
}

void sql_int(struct sql *sql, int64_t value)
{
    bound(sql, sqlite3_bind_int64(sql->statement, ++sql->bound, value));
}

/* ---- ids ----
 * n is the first 60 bits of the id that carry time: milliseconds and 12 bits of their fraction,
 * made to grow by one at least. The other 62 bits are SipHash-2-4 of n under the store's own key:
 * nobody outside can guess them, and no column has to keep them.
 */

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t sip_hash(const struct id_key *key, uint64_t word)
{
    const uint64_t last = UINT64_C(8) << 56; /* a message of eight bytes */
    uint64_t v[4] = {
        key->k[0] ^ UINT64_C(0x736f6d6570736575), key->k[1] ^ UINT64_C(0x646f72616e646f6d),
        key->k[0] ^ UINT64_C(0x6c7967656e657261), key->k[1] ^ UINT64_C(0x7465646279746573)};
    const uint64_t words[] = {word, last};
    for (size_t i = 0; i < 2; i++) {
        v[3] ^= words[i];
        sip_round(v);
        sip_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct uuid id_of_number(const struct id_key *key, int64_t n)
{
    struct uuid id = UUID_NONE;
    if (n <= 0) {
        return id;
    }
    uint64_t time = (uint64_t)n;
    uint64_t head = time >> 12 << 16 | UINT64_C(0x7000) | (time & 0xfff);
    uint64_t tail = (sip_hash(key, time) & (UINT64_MAX >> 2)) | UINT64_C(1) << 63;
    for (size_t i = 0; i < 8; i++) {
        id.bytes[i] = (uint8_t)(head >> (56 - 8 * i));
        id.bytes[8 + i] = (uint8_t)(tail >> (56 - 8 * i));
    }
    return id;
}

int64_t number_of_id(const struct id_key *key, const struct uuid *id)
{
    uint64_t head = 0;
    for (size_t i = 0; i < 8; i++) {
        head = head << 8 | id->bytes[i];
    }
    int64_t n = (int64_t)(head >> 16 << 12 | (head & 0xfff));
    struct uuid same = id_of_number(key, n);
    return uuid_equal(same, *id) ? n : uuid_is_none(*id) ? 0 : -1;
}

void sql_id(struct sql *sql, const struct uuid *id)
{
    sql_int(sql, number_of_id(&sql->connection->key, id));
}

void sql_uuid(struct sql *sql, const struct uuid *uuid)
{
    sql_blob(sql, (struct slice){(const char *)uuid->bytes, sizeof uuid->bytes});
}

bool sql_row(struct sql *sql)
{
    if (sql->rc == SQLITE_OK || sql->rc == SQLITE_ROW) {
        sql->rc = sqlite3_step(sql->statement);
    }
    return sql->rc == SQLITE_ROW;
}

enum status sql_end(struct sql *sql)
{
    sqlite3_reset(sql->statement);
    return status_of(sql->rc);
}

enum status sql_run(struct sql *sql, int *changed_out)
{
    sql_row(sql);
    enum status status = sql_end(sql);
    if (changed_out != NULL && status == STATUS_OK) {
        *changed_out = sqlite3_changes(sql->connection->db);
    }
    return status;
}

int64_t sql_get_int(const struct sql *sql, int column)
{
    return sqlite3_column_int64(sql->statement, column);
}

struct slice sql_get_blob(const struct sql *sql, int column)
{
    const void *at = sqlite3_column_blob(sql->statement, column);
    int len = sqlite3_column_bytes(sql->statement, column);
    return slice_from(at, at != NULL && len > 0 ? (size_t)len : 0);
}

struct slice sql_get_text(const struct sql *sql, int column)
{
    const void *at = sqlite3_column_text(sql->statement, column);
    int len = sqlite3_column_bytes(sql->statement, column);
    return slice_from(at, at != NULL && len > 0 ? (size_t)len : 0);
}

struct slice sql_copy_text(const struct sql *sql, int column, struct arena *arena)
{
    return arena_copy(arena, sql_get_text(sql, column));
}

struct uuid sql_get_id(const struct sql *sql, int column)
{
    return id_of_number(&sql->connection->key, sql_get_int(sql, column));
}

struct uuid sql_get_uuid(const struct sql *sql, int column)
{
    struct uuid id = UUID_NONE;
    struct slice bytes = sql_get_blob(sql, column);
    if (bytes.len == sizeof id.bytes) {
        memcpy(id.bytes, bytes.at, sizeof id.bytes);
    }
    return id;
}

enum status sql_take_ids(struct sql *sql, struct arena *arena, struct ids *ids_out)
{
    size_t room = 0;
    struct ids ids = {NULL, 0};
    while (sql_row(sql)) {
        if (ids.count == room) {
            room = room != 0 ? room * 2 : 16;
            struct uuid *more = ARENA_ARRAY(arena, room, struct uuid);
            if (ids.count != 0) {
                memcpy(more, ids.at, ids.count * sizeof *more);
            }
            ids.at = more;
        }
        ids.at[ids.count++] = sql_get_id(sql, 0);
    }
    enum status status = sql_end(sql);
    if (status == STATUS_OK) {
        *ids_out = ids;
    }
    return status;
}

void sql_reset_all(struct connection *connection)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_reset(connection->statements[i]);
    }
}

void connection_close(struct connection *connection)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(connection->statements[i]);
        connection->statements[i] = NULL;
    }
    sqlite3_close(connection->db);
    connection->db = NULL;
}
