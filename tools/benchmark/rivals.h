/*
 * What `status` measures beside the gate: nginx with a file of an answer's size, cfssl's OCSP responder with answers that were signed before,
 * OpenSSL's, and signatures alone.
 */
#ifndef HUFU_BENCHMARK_RIVALS_H
#define HUFU_BENCHMARK_RIVALS_H

#include "tools/benchmark/stock.h"

#include <sys/types.h>

#define NGINX_ADDRESS "127.0.0.1:20992"
#define CFSSL_ADDRESS "127.0.0.1:20993"
#define OPENSSL_ADDRESS "127.0.0.1:20994"
#define OPENSSL_PORT 20994u

struct rivals {
	const char *dir; /* where they keep their files */
	unsigned cpus;
	pid_t nginx, cfssl, openssl;
};
void rivals_done(struct rivals *r);
/* Serves /answer, a file of so many octets, with a worker for each processor. */
MUST_CHECK enum err rivals_nginx(struct rivals *r, size_t size, struct fault *f);
/* With the answers of dir/answers.b64, one a line. cfssl_program() says whether it is installed. */
MUST_CHECK enum err rivals_cfssl(struct rivals *r, struct fault *f);
/* `openssl ocsp` with a process for each processor and a database of 10,000 certificates of that CA, whose key signs each answer; the n serial
 * numbers are in it. */
MUST_CHECK enum err rivals_openssl(struct rivals *r, const struct old_ca *ca, const struct serial *v, size_t n, struct fault *f);
/* Of that process and its children, in microseconds. */
MUST_CHECK enum err rivals_cpu_us(pid_t pid, int64_t *ret, struct fault *f);
/* P-256 signatures a second, on each of the first n processors, nothing else done. */
double rivals_sign_rate(unsigned n, double seconds);

#endif
