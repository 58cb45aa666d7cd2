/*
 * Describing: the readers of load*.c run over nodes without text, and each function that asks a
 * node for something notes in the node's schema what it asked for. For the files of this folder
 * only.
 */
#ifndef GATEWAY_MAPPING_DESCRIBE_H
#define GATEWAY_MAPPING_DESCRIBE_H

#include "gateway/mapping/load.h"

/* A node that notes into `schema`. Live in the loader's arena. */
const struct yaml *describe_node(struct loader *l, struct json *schema);
struct json *describe_schema_of(const struct yaml *node);

/* A map with these keys and no others. */
void describe_map(struct loader *l, const struct yaml *node, const struct field *fields,
                  size_t count, void *target);
/* A list or map gets one node that stands for all its entries or members. */
void describe_kind(struct loader *l, const struct yaml *node, enum yaml_kind kind);
void describe_words(struct loader *l, const struct yaml *node, const char *const *words,
                    size_t count);
void describe_expression(struct loader *l, const struct yaml *node);
/* A template of the type, or of any when it is NULL; without: no list. */
void describe_template(struct loader *l, const struct yaml *node, const struct model_type *type);

/* One more shape that the node may have: the node to read it from. */
const struct yaml *describe_or(struct loader *l, const struct yaml *node);
/* A member of a map by its name, beside those that any name may have. */
const struct yaml *describe_member(struct loader *l, const struct yaml *node, const char *key);

/* No members but those described; some of them are required. */
void describe_close(struct loader *l, const struct yaml *node);
void describe_require(struct loader *l, const struct yaml *node, const char *const *names,
                      size_t count);

/* ---- case_child.c ---- */

void case_describe_given(struct loader *l, const struct yaml *node);

/* ---- load_template.c ---- */

/* The $-objects and the $-keys of an object, as one more shape and as members of `node`. */
void describe_specials(struct loader *l, const struct yaml *node);
void describe_controls(struct loader *l, const struct yaml *node);

#endif
