/* What reading and writing share: questions to the model, and how their answers are told. */
#ifndef FHIR_XML_XML_SHAPE_H
#define FHIR_XML_XML_SHAPE_H

#include "fhir/base/diag.h"
#include "fhir/model/model.h"

/* The resource type of that name; NULL, and told, when there is none or it is abstract. */
const struct model_type *shape_resource(const struct model *model, struct slice name,
                                        struct span span, struct diag_list *diags);

/* Tells that a type has no such element, with the nearest that it has. */
void shape_unknown(const struct model *model, const struct model_type *type, struct slice name,
                   struct span span, struct diag_list *diags);

/* Tells that a second type of a choice is there. */
void shape_second_choice(const struct model *model, const struct model_element *element,
                         struct slice name, struct span span, struct diag_list *diags);

/* Place of an element in its type; the search begins at `from`, where it most likely is. */
size_t shape_index(const struct model *model, const struct model_type *type,
                   const struct model_element *element, size_t from);

/* Whether the value of a primitive of that type is a JSON number. */
bool shape_is_number(const struct model_type *type);
/* Whether the text is a number of that type; told when not. */
bool shape_check_number(const struct model *model, const struct model_type *type, struct slice text,
                        struct span span, struct diag_list *diags);

/* Whether the type stands for any resource (Bundle.entry.resource, contained). */
bool shape_is_any_resource(const struct model_type *type);

/* Whether an element is an attribute in XML: Element.id, Extension.url. */
bool shape_is_attribute(const struct model_element *element);

#endif
