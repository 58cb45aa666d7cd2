/* `eplan test --update`: writes what cases make, whole, for a person to read before it is kept. */
#ifndef GATEWAY_CLI_TEST_UPDATE_H
#define GATEWAY_CLI_TEST_UPDATE_H

#include "gateway/cli/cli.h"
#include "gateway/mapping/case.h"

/* Those there are, and as many more as it takes to show every row, item and prompt that somebody is
 * told. False: one could not be written; err says which. */
bool test_update(struct cli *cli, const struct mapping *mapping, const char *folder,
                 const struct case_run *runs, size_t count);

#endif
