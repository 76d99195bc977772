import Wellspring
