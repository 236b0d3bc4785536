/*
 * Which calls of a program fail, as somebody outside decides while it runs: a file that both have mapped, named by $HUFU_TEST_FAULT when the program starts.
 */
#ifndef HUFU_TESTS_CALL_FAULT_H
#define HUFU_TESTS_CALL_FAULT_H

#include <stdatomic.h>

enum faulty { FAULTY_PWRITE, FAULTY_WRITE, FAULTY_FSYNC, FAULTY_FDATASYNC, FAULTY_OPEN, FAULTY_RENAME, FAULTY_FTRUNCATE, FAULTY_UNLINK, FAULTY_MKOSTEMP, FAULTY_ACCEPT, FAULTY_MEMORY, FAULTY_N };
struct call_fault {
	atomic_int which; /* of enum faulty */
	atomic_int error; /* errno */
	atomic_int left;  /* so many more calls fail */
	atomic_int hits;  /* that have failed */
};

#endif
