/* Declares the function of every row of verbs.def. */
#ifndef GATEWAY_CLI_VERBS_H
#define GATEWAY_CLI_VERBS_H

#include "gateway/cli/cli.h"

#define VERB(name, function, usage, sentence) cli_verb function;
#include "gateway/cli/verbs.def"
#undef VERB

#endif
