// uses: gateway/base fhir/base
/* Any bytes: read or refused with a place inside the text, within the ceilings; and every byte of a
 * text that is no blank is found where it was written. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct work {
    struct arena *arena;
    struct slice text;
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void check_text(struct arena *arena, const struct yaml_text *text)
{
    const struct source *source = yaml_source(arena, text, SLICE("text"));
    struct slice file = text->span.source->text;
    require(utf8_check(text->text) == SIZE_MAX);
    for (size_t i = 0; i < text->text.len; i++) {
        uint32_t at = source->map[i];
        require(at >= text->span.start && at <= text->span.end);
        require(i == 0 || at >= source->map[i - 1]);
        bool escape = text->style == YAML_DOUBLE_QUOTED && at < file.len && file.at[at] == '\\';
        bool wide = (unsigned char)text->text.at[i] >= 0x80; /* line breaks of several bytes */
        require(is_blank(text->text.at[i]) || escape || wide ||
                (at < file.len && file.at[at] == text->text.at[i]));
    }
    if (text->text.len != 0) {
        struct span whole = yaml_span(text, 0, text->text.len);
        require(whole.start >= text->span.start && whole.end <= text->span.end);
    }
}

/* A list of what is still to be looked at, so that depth costs no stack. */
static void check_tree(struct arena *arena, const struct yaml *root, size_t text_len)
{
    const struct yaml *stack[64];
    size_t depth = 0;
    for (const struct yaml *node = root; node != NULL || depth != 0;) {
        if (node == NULL) {
            node = stack[--depth]->next;
            continue;
        }
        require(node->span.start <= node->span.end && node->span.end <= text_len);
        if (node->key.span.source != NULL) {
            check_text(arena, &node->key);
        }
        if (node->kind == YAML_SCALAR) {
            check_text(arena, &node->scalar);
            node = node->next;
        } else {
            require(depth < 64);
            stack[depth++] = node;
            node = node->first;
        }
    }
}

static enum status read_text(void *arg)
{
    struct work *work = arg;
    struct diag_list diags;
    struct limits limits = YAML_LIMITS;
    const struct yaml *root = NULL;
    diag_init(&diags, work->arena, 20);
    const struct source *source = source_create(work->arena, SLICE("fuzz"), work->text);
    enum status status = yaml_parse(work->arena, source, &limits, &diags, &root);
    require((status == STATUS_OK) == (root != NULL));
    require((status == STATUS_OK) == (diags.errors == 0));
    for (const struct diag *diag = diags.first; diag != NULL; diag = diag->next) {
        require(diag->span.start <= diag->span.end && diag->span.end <= work->text.len);
    }
    struct buf out;
    buf_init(&out, work->arena, (size_t)1 << 20);
    diag_render_all(&diags, &out);
    if (root != NULL) {
        check_tree(work->arena, root, work->text.len);
    }
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct work work = {arena_create((size_t)256 << 20), {(const char *)data, size}};
    if (size <= 65536) {
        require(arena_run(work.arena, read_text, &work) == STATUS_OK);
    }
    arena_destroy(&work.arena);
    return 0;
}
