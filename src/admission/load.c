#include "admission/load.h"

#include <stdlib.h>

bool load_is_excessive(double most)
{
	double load;

	return getloadavg(&load, 1) == 1 && load >= most;
}
