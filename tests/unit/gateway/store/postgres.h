/*
 * A private PostgreSQL for a test program: initdb in a folder of its own, reached by a UNIX socket
 * there, fsync on, ended with the program. initdb refuses root: started by root, the server runs as
 * the account that its package made.
 */
#ifndef TESTS_UNIT_GATEWAY_STORE_POSTGRES_H
#define TESTS_UNIT_GATEWAY_STORE_POSTGRES_H

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define POSTGRES_BIN "/usr/lib/postgresql/15/bin/"

struct postgres {
    char dir[64];
    char data[80];
    char url[160];
    pid_t server;
};

static struct postgres postgres_of_program;

/* What the tests are to run on: EPLAN_TEST_STORE=postgresql. */
static inline bool wants_postgres(void)
{
    const char *store = getenv("EPLAN_TEST_STORE");
    return store != NULL && strcmp(store, "postgresql") == 0;
}

/* In a child: another user, silence, an end with the parent. */
static inline void postgres_exec(char *const arguments[])
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (user != NULL &&
        (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
        _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir("/") != 0 || freopen("/dev/null", "w", stdout) == NULL) {
        _exit(126);
    }
    execv(arguments[0], arguments);
    _exit(127);
}

static inline bool postgres_answers(const char *url)
{
    PGconn *conn = PQconnectdb(url);
    bool answers = PQstatus(conn) == CONNECTION_OK;
    PQfinish(conn);
    return answers;
}

static inline void postgres_start_server(struct postgres *p)
{
    char log[96];
    snprintf(log, sizeof log, "%.63s/log", p->dir);
    fflush(NULL);
    p->server = fork();
    if (p->server == 0) {
        char *const arguments[] = {(char *)POSTGRES_BIN "postgres",
                                   (char *)"-D",
                                   p->data,
                                   (char *)"-k",
                                   p->dir,
                                   (char *)"-h",
                                   (char *)"",
                                   (char *)"-c",
                                   (char *)"shared_buffers=16MB",
                                   (char *)"-c",
                                   (char *)"max_connections=40",
                                   NULL};
        if (freopen(log, "a", stderr) == NULL) {
            _exit(126);
        }
        postgres_exec(arguments);
    }
    for (int i = 0; i < 600 && !postgres_answers(p->url); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* half a minute at most */
    }
}

static inline void postgres_stop_server(struct postgres *p, int how)
{
    if (p->server > 0) {
        kill(p->server, how);
        waitpid(p->server, NULL, 0);
        p->server = 0;
    }
}

static inline void postgres_end(void)
{
    struct postgres *p = &postgres_of_program;
    char command[128];
    postgres_stop_server(p, SIGINT);
    snprintf(command, sizeof command, "rm -rf '%.63s'", p->dir);
    if (p->dir[0] != '\0' && system(command) != 0) {
        fprintf(stderr, "%s is left over\n", p->dir);
    }
}

/* The URL of the program's server; NULL: there is none, and why was printed as a skipped plan. */
static inline const char *postgres_url(void)
{
    struct postgres *p = &postgres_of_program;
    if (p->server != 0) {
        return p->url;
    }
    if (access(POSTGRES_BIN "initdb", X_OK) != 0) {
        printf("1..0 # SKIP PostgreSQL 15 is not installed (apt-get install postgresql-15)\n");
        return NULL;
    }
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (geteuid() == 0 && user == NULL) {
        printf("1..0 # SKIP initdb refuses root, and there is no account postgres\n");
        return NULL;
    }
    snprintf(p->dir, sizeof p->dir, "/tmp/eplan-test-pg-XXXXXX");
    if (mkdtemp(p->dir) == NULL ||
        (user != NULL && chown(p->dir, user->pw_uid, user->pw_gid) != 0)) {
        printf("Bail out! no folder for PostgreSQL\n");
        exit(1);
    }
    snprintf(p->data, sizeof p->data, "%.63s/data", p->dir);
    snprintf(p->url, sizeof p->url, "postgresql:///postgres?host=%.63s&user=eplan", p->dir);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char *const arguments[] = {(char *)POSTGRES_BIN "initdb",
                                   (char *)"-D",
                                   p->data,
                                   (char *)"-U",
                                   (char *)"eplan",
                                   (char *)"--auth=trust",
                                   (char *)"--encoding=UTF8",
                                   (char *)"--locale=C",
                                   (char *)"--no-sync",
                                   NULL};
        postgres_exec(arguments);
    }
    int how = 0;
    waitpid(child, &how, 0);
    if (how != 0) {
        printf("Bail out! initdb failed\n");
        exit(1);
    }
    postgres_start_server(p);
    atexit(postgres_end);
    return p->url;
}

/* Before anything else is printed: a program that is to run on PostgreSQL and cannot is skipped. */
__attribute__((constructor)) static void postgres_or_skip(void)
{
    if (wants_postgres() && postgres_url() == NULL) {
        exit(0);
    }
}

/* The server's database of that name, with the store's tables in sight. */
static inline const char *postgres_url_of(const char *database, char out[192])
{
    snprintf(out, 192, "postgresql:///%s?host=%.63s&user=eplan&options=-csearch_path%%3Deplan",
             database, postgres_of_program.dir);
    return out;
}

/* One or more commands; fails the program when they fail. */
static inline void postgres_run_in(const char *database, const char *sql)
{
    char url[192];
    PGconn *conn = PQconnectdb(postgres_url_of(database, url));
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
        printf("Bail out! %s: %s\n", sql, PQerrorMessage(conn));
        exit(1);
    }
    PQclear(result);
    PQfinish(conn);
}

static inline void postgres_run(const char *sql)
{
    postgres_run_in("postgres", sql);
}

#endif
