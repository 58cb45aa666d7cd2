/* Statements over any driver; ids. */
#include "gateway/store/sql.h"

#include <string.h>

struct sql sql_begin(struct connection *connection, enum sql_id id)
{
    struct sql sql = {.connection = connection, .id = id};
    connection->driver->begin(&sql);
    return sql;
}

void sql_text(struct sql *sql, struct slice text)
{
    sql->connection->driver->bind_text(sql, text);
}

void sql_blob(struct sql *sql, struct slice bytes)
{
    sql->connection->driver->bind_blob(sql, bytes);
}

void sql_int(struct sql *sql, int64_t value)
{
    sql->connection->driver->bind_int(sql, value);
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
    return sql->connection->driver->row(sql);
}

enum status sql_end(struct sql *sql)
{
    return sql->connection->driver->end(sql);
}

enum status sql_run(struct sql *sql, int *changed_out)
{
    return sql->connection->driver->run(sql, changed_out);
}

bool sql_is_null(const struct sql *sql, int column)
{
    return sql->connection->driver->is_null(sql, column);
}

int64_t sql_get_int(const struct sql *sql, int column)
{
    return sql->connection->driver->get_int(sql, column);
}

struct slice sql_get_blob(const struct sql *sql, int column)
{
    return sql->connection->driver->get_blob(sql, column);
}

struct slice sql_get_text(const struct sql *sql, int column)
{
    return sql->connection->driver->get_text(sql, column);
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

enum status sql_execute(struct connection *connection, const char *sql)
{
    return connection->driver->execute(connection, sql);
}

uint64_t sql_written(const struct connection *connection)
{
    return connection->driver->written(connection);
}

void sql_reset_all(struct connection *connection)
{
    connection->driver->reset_all(connection);
}
