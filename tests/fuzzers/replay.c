/* Runs a fuzz target over its corpus, once per file, and reports in TAP. For compilers without
 * libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return -1;
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    /* One byte at least: malloc(0) may be NULL, and the target may read data[size - 1] only when
     * size > 0. */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    size_t got = data != NULL ? fread(data, 1, (size_t)size, f) : 0;
    fclose(f);
    int rc = got == (size_t)size ? LLVMFuzzerTestOneInput(data, got) : -1;
    free(data);
    return rc;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER (which must exist)\n", argv[0]);
        return 64;
    }
    int n = 0;
    int failed = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.') {
            continue;
        }
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        int ok = replay_file(path) == 0;
        failed += !ok;
        printf("%s %d - %s\n", ok ? "ok" : "not ok", ++n, e->d_name);
    }
    closedir(dir);
    printf("1..%d\n", n);
    return failed != 0 || n == 0;
}
