/* The rules, looked at from outside: SQL of rules.def, and checksums and the chain computed anew.
 */
#include <stdio.h>

#include "fhir/base/buf.h"
#include "gateway/base/crypto.h"
#include "gateway/base/digest.h"
#include "gateway/store/verify_source.h"

static const struct rule {
    unsigned number;
    const char *sentence;
    const char *sql;
} rules[] = {
#define RULE(number, sentence, sql) {number, sentence, sql},
#include "gateway/store/rules.def"
};

struct verification;
typedef void verify_look(struct verification *v, const struct verify_row *row, void *arg);

struct verification {
    struct verify_source *source;
    struct arena *arena;
    const struct keyring *keys;
    struct store_fault *faults;
    struct store_faults out;
};

static void add_fault(struct verification *v, unsigned rule, const char *sentence,
                      struct slice where)
{
    v->out.all++;
    if (v->out.count < FAULTS_MOST) {
        v->faults[v->out.count++] =
            (struct store_fault){rule, slice_of(sentence), arena_copy(v->arena, where)};
    }
}

static struct slice column(const struct verify_row *row, int n)
{
    return row->source->column(row, n);
}

static int64_t number(const struct verify_row *row, int n)
{
    return row->source->number(row, n);
}

/* The beginning of an id, which is what a row's number says of it; a text as it is. */
static struct slice place(struct verification *v, const struct verify_row *row, int n)
{
    if (!row->source->is_number(row, n)) {
        return column(row, n);
    }
    unsigned long long id = (unsigned long long)number(row, n);
    unsigned long long ms = id >> 12;
    return arena_printf(v->arena, "%08llx-%04llx-7%03llx", ms >> 16, ms & 0xffff, id & 0xfff);
}

struct looking {
    struct verification *v;
    verify_look *look;
    void *arg;
};

static void look_in_verification(const struct verify_row *row, void *arg)
{
    const struct looking *looking = arg;
    looking->look(looking->v, row, looking->arg);
}

static bool each_row(struct verification *v, const char *sql, verify_look *look, void *arg)
{
    struct looking looking = {v, look, arg};
    const char *wrong = v->source->each(v->source, sql, look_in_verification, &looking);
    if (wrong != NULL) {
        add_fault(v, 0, "the file cannot be read", slice_of(wrong));
    }
    return wrong == NULL;
}

static void look_at_rule(struct verification *v, const struct verify_row *row, void *arg)
{
    const struct rule *rule = arg;
    add_fault(v, rule->number, rule->sentence, place(v, row, 0));
}

static void look_at_file(struct verification *v, const struct verify_row *row, void *arg)
{
    struct slice said = column(row, 0);
    (void)arg;
    if (!slice_is(said, "ok")) {
        add_fault(v, 0, "the file is damaged", said);
    }
}

/* ---- records: the format of record.h, computed here once more ---- */

static uint64_t step(uint64_t sum, const unsigned char *word)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | word[i];
    }
    sum = (sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return sum << 31 | sum >> 33;
}

static uint64_t sum_of(uint64_t sum, struct slice bytes)
{
    unsigned char word[8] = {0};
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        word[n++] = (unsigned char)bytes.at[i];
        if (n == 8) {
            sum = step(sum, word);
            memset(word, 0, sizeof word);
            n = 0;
        }
    }
    sum = step(sum, word);
    for (int i = 0; i < 8; i++) {
        word[i] = (unsigned char)((uint64_t)bytes.len >> (8 * i));
    }
    return step(sum, word);
}

enum wholeness { DAMAGED, WHOLE, LOCKED /* its checksum is right, and its key is not here */ };

/* Sealed bytes are bound to owner, part, format and key. */
static enum wholeness unseal(struct verification *v, struct slice owner, uint64_t part,
                             struct slice record, struct slice *bytes)
{
    uint32_t number = 0;
    for (int i = 1; i < 5; i++) {
        number = number << 8 | (unsigned char)record.at[i];
    }
    struct slice key = keyring_find(v->keys, number);
    struct buf bound;
    buf_init(&bound, v->arena, 4096);
    buf_add_slice(&bound, owner);
    buf_add_char(&bound, (char)part);
    buf_add(&bound, record.at, 5);
    if (key.at == NULL) {
        v->out.sealed++;
        return LOCKED;
    }
    return crypto_open(v->arena, key, buf_view(&bound), *bytes, bytes) == STATUS_OK ? WHOLE
                                                                                    : DAMAGED;
}

static enum wholeness record_is_whole(struct verification *v, struct slice owner, uint64_t part,
                                      struct slice record, struct slice *bytes)
{
    enum { HEADER = 13, PLAIN = 1, SEALED = 2 };
    if (record.len < HEADER || (record.at[0] != PLAIN && record.at[0] != SEALED)) {
        return DAMAGED;
    }
    bool keyed = memcmp(record.at + 1, "\0\0\0\0", 4) != 0;
    *bytes = slice_part(record, HEADER, record.len);
    uint64_t sum = sum_of(sum_of(sum_of(part, owner), slice_part(record, 0, 5)), *bytes);
    unsigned char stored[8];
    memcpy(stored, record.at + 5, 8);
    for (int i = 0; i < 8; i++) {
        if (stored[i] != (unsigned char)(sum >> (8 * i))) {
            return DAMAGED;
        }
    }
    if ((record.at[0] == SEALED) != keyed) {
        return DAMAGED;
    }
    return keyed ? unseal(v, owner, part, record, bytes) : WHOLE;
}

/* Nothing of it is kept. */
static bool is_damaged(struct verification *v, struct slice owner, uint64_t part,
                       struct slice record)
{
    struct slice bytes;
    struct arena_mark mark = arena_mark(v->arena);
    bool damaged = record_is_whole(v, owner, part, record, &bytes) == DAMAGED;
    arena_rewind(v->arena, mark);
    return damaged;
}

static struct slice owner_bytes(int64_t n, char bytes[8])
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (char)((uint64_t)n >> (8 * i));
    }
    return slice_from(bytes, 8);
}

/* Columns: the owner's number, the part, the record. */
static void look_at_record(struct verification *v, const struct verify_row *row, void *arg)
{
    char owner[8];
    (void)arg;
    v->out.records++;
    if (is_damaged(v, owner_bytes(number(row, 0), owner), (uint64_t)number(row, 1),
                   column(row, 2))) {
        add_fault(v, 13, "a record is damaged", place(v, row, 0));
    }
}

static void look_at_capability(struct verification *v, const struct verify_row *row, void *arg)
{
    (void)arg;
    v->out.records++;
    if (is_damaged(v, column(row, 0), 6, column(row, 1))) {
        add_fault(v, 13, "a record is damaged", column(row, 0));
    }
}

/* ---- the trail ---- */

struct tip {
    struct tip *before;
    struct slice ehr;
    int64_t number;
    struct slice hash;
};

struct chain {
    struct tip *tips;
    struct slice ehr;
    int64_t number;
    uint8_t hash[SHA256_SIZE];
    bool unknown; /* the last line could not be opened, so its hash is not known */
};

static void hash_line(struct chain *chain, const struct verify_row *row, struct slice body)
{
    struct slice ehr = column(row, 0);
    struct slice what = column(row, 3);
    char owner[8];
    struct slice subject = owner_bytes(number(row, 4), owner);
    struct slice patient = column(row, 5);
    uint64_t numbers[6] = {(uint64_t)number(row, 1),
                           (uint64_t)number(row, 2),
                           ehr.len,
                           what.len,
                           patient.len,
                           body.len};
    uint8_t bytes[48];
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 8; j++) {
            bytes[8 * i + j] = (uint8_t)(numbers[i] >> (56 - 8 * j));
        }
    }
    const struct slice parts[] = {{(const char *)chain->hash, SHA256_SIZE},
                                  {(const char *)bytes, sizeof bytes},
                                  ehr,
                                  what,
                                  subject,
                                  patient,
                                  body};
    uint8_t hash[SHA256_SIZE];
    sha256_parts(parts, 7, hash);
    memcpy(chain->hash, hash, SHA256_SIZE);
}

/* Columns: the EHR, the number and the hash of its last line. */
static void take_tip(struct verification *v, const struct verify_row *row, void *arg)
{
    struct tip **last = arg;
    struct tip *tip = ARENA_NEW(v->arena, struct tip);
    tip->before = *last;
    tip->ehr = arena_copy(v->arena, column(row, 0));
    tip->number = number(row, 1);
    tip->hash = arena_copy(v->arena, column(row, 2));
    *last = tip;
}

static void check_tip(struct verification *v, const struct chain *chain)
{
    const struct tip *tip = chain->tips;
    while (tip != NULL && !slice_equal(tip->ehr, chain->ehr)) {
        tip = tip->before;
    }
    if (chain->ehr.at != NULL && tip != NULL &&
        (tip->number != chain->number ||
         (!chain->unknown &&
          !slice_equal(tip->hash, slice_from((const char *)chain->hash, SHA256_SIZE))))) {
        add_fault(v, 12, "the last line of the trail is not the one that was stored", chain->ehr);
    }
}

static void look_at_line(struct verification *v, const struct verify_row *row, void *arg)
{
    static const char none[SHA256_SIZE];
    struct chain *chain = arg;
    struct slice ehr = column(row, 0);
    struct slice body = SLICE_NONE;
    v->out.lines++;
    if (chain->ehr.at == NULL || !slice_equal(ehr, chain->ehr)) {
        check_tip(v, chain);
        chain->ehr = arena_copy(v->arena, ehr);
        chain->number = 0;
        chain->unknown = false;
        memcpy(chain->hash, none, SHA256_SIZE);
    }
    int64_t line = number(row, 1);
    struct slice where = arena_printf(v->arena, "%.*s %lld", SLICE_ARGS(ehr), (long long)line);
    if (line != ++chain->number) {
        add_fault(v, 12, "a line of the trail is missing before this one", where);
        chain->number = line;
    }
    if (!chain->unknown &&
        !slice_equal(column(row, 7), slice_from((const char *)chain->hash, SHA256_SIZE))) {
        add_fault(v, 12, "the trail is broken: the line before this one was changed", where);
    }
    struct slice previous = column(row, 7);
    if (previous.len == SHA256_SIZE) {
        memcpy(chain->hash, previous.at, SHA256_SIZE); /* a break is told once */
    }
    char owner[8];
    struct arena_mark mark = arena_mark(v->arena);
    enum wholeness whole =
        record_is_whole(v, owner_bytes(number(row, 4), owner), 7, column(row, 6), &body);
    hash_line(chain, row, body);
    arena_rewind(v->arena, mark);
    chain->unknown = whole == LOCKED;
    if (whole == DAMAGED) {
        add_fault(v, 13, "a line of the trail is damaged", where);
    }
}

/* ---- all of it ---- */

enum status store_verify(struct slice location, const struct keyring *keys, struct arena *arena,
                         struct store_faults *faults_out)
{
    struct verification v = {.arena = arena, .keys = keys};
    struct chain chain = {0};
    bool shared = slice_starts_with(location, SLICE("postgres"));
    v.source = (shared ? verify_open_pg : verify_open_sqlite)(location, arena);
    if (v.source == NULL) {
        return STATUS_IO;
    }
    v.faults = ARENA_ARRAY(arena, FAULTS_MOST, struct store_fault);
    bool readable = shared || each_row(&v, "PRAGMA integrity_check(20)", look_at_file, NULL);
    for (size_t i = 0; readable && i < sizeof rules / sizeof *rules; i++) {
        struct rule rule = rules[i];
        readable = each_row(&v, rule.sql, look_at_rule, &rule);
    }
    if (readable) {
        readable = each_row(&v,
                            "SELECT n / 8, n % 8, bytes FROM record"
                            " UNION ALL SELECT n, 1, record FROM message",
                            look_at_record, NULL);
    }
    if (readable) {
        readable = each_row(&v, "SELECT ehr, record FROM capability", look_at_capability, NULL);
    }
    if (readable) {
        readable = each_row(&v, "SELECT ehr, number, hash FROM chain", take_tip, &chain.tips);
    }
    if (readable) {
        each_row(&v,
                 "SELECT ehr, number, at, what, subject, patient, body, previous FROM trail"
                 " ORDER BY ehr, number",
                 look_at_line, &chain);
        check_tip(&v, &chain);
    }
    v.source->close(v.source);
    v.out.at = v.faults;
    *faults_out = v.out;
    return STATUS_OK;
}
